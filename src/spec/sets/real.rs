//! The embedded data sets. Files, notices and splits:
//! `src/data/pack/README.md`.

use super::SetKind::{
    Forecast, Picture, Points, Regression, Signal, Table, Text, Word,
};
use super::{Form, Set, Target, set};

pub(super) static SETS: &[Set] = &[
    set(
        Picture,
        "fashion",
        Form::Picture(14),
        Target::Classes(10),
        [5000, 1000, 2000],
    )
    .about("kinds of clothes")
    .cite("Fashion-MNIST, Zalando", "MIT"),
    set(
        Table,
        "letter",
        Form::Rows(16),
        Target::Classes(26),
        [14_000, 2000, 4000],
    )
    .about("printed capital letters from measurements")
    .cite("UCI, Letter Recognition", "CC BY 4.0"),
    set(
        Table,
        "satimage",
        Form::Rows(36),
        Target::Classes(6),
        [3992, 443, 2000],
    )
    .about("soil types from satellite pixels")
    .cite("UCI, Statlog Landsat Satellite", "CC BY 4.0"),
    set(Table, "dna", Form::Rows(180), Target::Classes(3), [1800, 400, 986])
        .about("splice junctions from 60 nucleotides")
        .cite("UCI, Splice-junction Gene Sequences", "CC BY 4.0"),
    set(Table, "spam", Form::Rows(57), Target::Classes(2), [2800, 400, 1401])
        .about("spam from counts of words")
        .cite("UCI, Spambase", "CC BY 4.0"),
    set(
        Picture,
        "digits",
        Form::Picture(8),
        Target::Classes(10),
        [1000, 297, 500],
    )
    .about("handwritten digits")
    .cite("UCI, Optical Recognition of Handwritten Digits", "CC BY 4.0"),
    set(
        Regression,
        "diamonds",
        Form::Rows(26),
        Target::Values(1),
        [8000, 1000, 3000],
    )
    .about("logarithm of the price of diamonds")
    .cite("ggplot2", "MIT"),
    set(
        Text,
        "words",
        Form::Text(16),
        Target::Characters(28),
        [57_251, 3181, 3180],
    )
    .about("English words")
    .cite("SCOWL, Kevin Atkinson", "permissive, see the notices")
    .like("word lists"),
    set(
        Table,
        "rodents",
        Form::Rows(36),
        Target::Classes(20),
        [14_000, 2500, 3500],
    )
    .about("species of caught rodents")
    .cite("Portal Project Teaching Database", "CC0 1.0"),
    set(
        Table,
        "storms",
        Form::Rows(10),
        Target::Classes(8),
        [10_495, 2482, 3500],
    )
    .about("kinds of Atlantic storms, without their wind")
    .cite("NOAA HURDAT2, in R's dplyr", "public domain; MIT"),
    set(
        Table,
        "flights",
        Form::Rows(41),
        Target::Classes(10),
        [10_000, 2500, 3500],
    )
    .about("carriers of flights from New York")
    .cite("US Department of Transportation, in R's nycflights13", "CC0 1.0"),
    set(
        Table,
        "shuttle",
        Form::Rows(9),
        Target::Classes(4),
        [9000, 2000, 3000],
    )
    .about("states of a space shuttle's radiator")
    .cite("UCI, Statlog Shuttle", "CC BY 4.0"),
    set(Table, "churn", Form::Rows(17), Target::Classes(2), [3200, 800, 1000])
        .about("customers who leave")
        .cite("MLC++, in R's modeldata", "MIT"),
    set(Table, "cells", Form::Rows(56), Target::Classes(2), [1300, 300, 419])
        .about("whether pictures of cells are well segmented")
        .cite("Hill et al. 2007, in R's modeldata", "MIT"),
    set(Table, "segment", Form::Rows(18), Target::Classes(7), [1400, 350, 560])
        .about("surfaces from 3x3 outdoor pixels")
        .cite("UCI, Image Segmentation", "CC BY 4.0"),
    set(
        Regression,
        "ridership",
        Form::Rows(45),
        Target::Values(1),
        [3700, 900, 1098],
    )
    .about("riders of a Chicago station two weeks ahead")
    .cite("City of Chicago, in R's modeldata", "MIT"),
    set(
        Regression,
        "houses",
        Form::Rows(201),
        Target::Values(1),
        [2000, 400, 530],
    )
    .about("logarithm of the price of houses in Ames")
    .cite("De Cock 2011, in R's modeldata", "MIT"),
    set(
        Regression,
        "check-times",
        Form::Rows(22),
        Target::Values(1),
        [8500, 2000, 2500],
    )
    .about("logarithm of the seconds to check an R package")
    .cite("CRAN 2017, in R's modeldata", "MIT"),
    set(
        Regression,
        "colleges",
        Form::Rows(64),
        Target::Values(1),
        [9497, 2498, 3500],
    )
    .about("logarithm of the earnings after college")
    .cite("US College Scorecard, in R's causaldata", "public domain; MIT"),
    set(
        Regression,
        "doctor-visits",
        Form::Rows(9),
        Target::Values(1),
        [13_497, 2501, 4000],
    )
    .about("log(1 + visits to a doctor)")
    .cite("RAND Health Insurance Experiment, in statsmodels", "public domain"),
    set(
        Regression,
        "earnings",
        Form::Rows(10),
        Target::Values(1),
        [10_000, 2500, 3492],
    )
    .about("earnings in 1978 from those before")
    .cite("Current Population Survey, in R's causaldata", "public domain; MIT"),
    set(
        Points,
        "states",
        Form::Rows(2),
        Target::Classes(40),
        [10_265, 2368, 3160],
    )
    .about("US states from longitude and latitude")
    .cite("US Census Bureau TIGER/Line 2009", "public domain"),
    set(
        Word,
        "topics",
        Form::Rows(320),
        Target::Classes(12),
        [6000, 1300, 1700],
    )
    .about("kinds of nouns from the words that explain them")
    .cite("WordNet 3.0, Princeton University", "WordNet 3.0"),
    set(
        Word,
        "places",
        Form::Rows(312),
        Target::Classes(16),
        [6000, 1300, 2300],
    )
    .about("regions of the world from the names of towns")
    .cite("GeoNames", "CC BY 3.0")
    .like("spelling"),
    set(
        Word,
        "first-names",
        Form::Rows(222),
        Target::Classes(2),
        [3400, 800, 963],
    )
    .about("more often female or male first names")
    .cite("US Census 1990", "public domain; MIT")
    .like("spelling"),
    set(
        Picture,
        "glyphs",
        Form::Picture(12),
        Target::Classes(26),
        [4200, 1100, 1300],
    )
    .about("letters in the fonts of 52 packages")
    .cite("Debian's font packages", "free, those of the fonts")
    .like("drawn letters"),
    set(
        Picture,
        "scripts",
        Form::Picture(12),
        Target::Classes(24),
        [3840, 1296, 1296],
    )
    .about("scripts from their characters")
    .cite("Noto fonts, Google", "OFL 1.1")
    .like("drawn letters"),
    set(
        Picture,
        "sprites",
        Form::Picture(12),
        Target::Classes(18),
        [3004, 708, 676],
    )
    .about("monsters of a game")
    .cite("Freedoom project", "BSD 3-Clause"),
    set(
        Picture,
        "patches",
        Form::Picture(8),
        Target::Classes(10),
        [4000, 1000, 1300],
    )
    .about("photographs from patches of them")
    .cite("scikit-image", "CC0 1.0, public domain"),
    set(
        Signal,
        "watch",
        Form::Signal(6, 16),
        Target::Classes(7),
        [2099, 600, 600],
    )
    .about("shoulder exercises from a wrist watch")
    .cite("Burns et al. 2018, in seglearn", "BSD 3-Clause"),
    set(
        Signal,
        "speakers",
        Form::Signal(12, 5),
        Target::Classes(9),
        [1500, 450, 500],
    )
    .about("speakers from a spoken vowel")
    .cite("UCI, Japanese Vowels", "CC BY 4.0"),
    set(
        Signal,
        "sounds",
        Form::Signal(1, 28),
        Target::Classes(12),
        [4495, 1096, 983],
    )
    .about("kinds of sound from a spectrum")
    .cite("freesound.org, in Sonic Pi", "CC0 1.0"),
    set(
        Forecast,
        "heart",
        Form::Signal(1, 40),
        Target::Values(1),
        [9936, 3312, 3312],
    )
    .about("an electrocardiogram 83 ms ahead")
    .cite("MIT-BIH Arrhythmia Database, PhysioNet", "ODC-BY 1.0"),
    set(
        Forecast,
        "glucose",
        Form::Signal(1, 24),
        Target::Values(1),
        [14_314, 4011, 4062],
    )
    .about("blood glucose half an hour ahead")
    .cite("a private person, in bokeh-sampledata", "public domain"),
    set(
        Text,
        "dutch",
        Form::Text(16),
        Target::Characters(28),
        [36_000, 2000, 2000],
    )
    .about("Dutch words")
    .cite("OpenTaal", "BSD or CC BY 3.0")
    .like("word lists"),
    set(
        Text,
        "phonemes",
        Form::Text(15),
        Target::Characters(42),
        [40_500, 2250, 2250],
    )
    .about("pronunciations of English words")
    .cite("CMUDICT 0.4, University of Edinburgh", "permissive, see the notices")
    .like("spelling"),
    set(
        Text,
        "characters",
        Form::Text(32),
        Target::Characters(39),
        [12_107, 672, 672],
    )
    .about("names of characters")
    .cite("Unicode 15.0, UnicodeData.txt", "Unicode"),
    set(
        Text,
        "program",
        Form::Text(32),
        Target::Characters(96),
        [11_801, 655, 655],
    )
    .about("C code")
    .cite("SQLite 3.46.0", "public domain"),
    set(
        Text,
        "novel",
        Form::Text(32),
        Target::Characters(76),
        [10_687, 593, 593],
    )
    .about("Jane Austen, Persuasion (1817)")
    .cite("Project Gutenberg", "public domain"),
];
