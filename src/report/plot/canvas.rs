//! A page to draw on: plotters' SVG backend with sub-pixel positions, and one
//! palette that turns dark with the reader's screen.

use askama::filters::{Html, escape};
use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontStyle, FontTransform, RGBAColor, RGBColor, ShapeStyle, TextStyle,
};
use std::fmt::Write as _;

/// plotters' SVG has whole coordinates only: drawn larger, shown smaller.
const SCALE: f64 = 8.0;
/// plotters writes `size / 1.24` as the font size.
const FONT_SCALE: f64 = 1.24 * SCALE;
const FONT: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, \
                    'DejaVu Sans', sans-serif";

/// A colour on white paper; its dark twin is in [`DARK`].
pub(super) type Ink = RGBColor;
pub(super) const BLACK: Ink = RGBColor(0x1F, 0x23, 0x28);
pub(super) const GREY: Ink = RGBColor(0x65, 0x6D, 0x76);
pub(super) const PALE: Ink = RGBColor(0xE1, 0xE4, 0xE8);
pub(super) const PAPER: Ink = RGBColor(0xFF, 0xFF, 0xFF);
pub(super) const BLUE: Ink = RGBColor(0x09, 0x69, 0xDA);
pub(super) const GREEN: Ink = RGBColor(0x1A, 0x7F, 0x37);
pub(super) const ORANGE: Ink = RGBColor(0xBC, 0x4C, 0x00);
pub(super) const RED: Ink = RGBColor(0xC6, 0x28, 0x28);

const DARK: [(Ink, &str); 8] = [
    (BLACK, "#E6EDF3"),
    (GREY, "#9198A1"),
    (PALE, "#2B3138"),
    (PAPER, "#0D1117"),
    (BLUE, "#4C9AFF"),
    (GREEN, "#3FB950"),
    (ORANGE, "#F0883E"),
    (RED, "#FF6B63"),
];

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    /// The point is the text's left end.
    Start,
    Middle,
    End,
    /// Read upwards, from the point.
    Up,
}

/// How a text looks; height in pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Type {
    pub(super) size: f64,
    pub(super) ink: Ink,
    pub(super) anchor: Anchor,
    pub(super) bold: bool,
}

pub(super) const fn type_of(size: f64, ink: Ink, anchor: Anchor) -> Type {
    Type { size, ink, anchor, bold: false }
}

/// A page in pixels, from the top left corner. Text in memory cannot fail, so
/// neither can drawing.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

/// An SVG of `width` x `height` pixels that scales down with its container;
/// `label` says to those who cannot see it what it shows.
pub(super) fn page(
    width: f64,
    height: f64,
    label: &str,
    draw: impl FnOnce(&mut Canvas<'_>),
) -> String {
    let mut body = String::new();
    {
        let size = (length(width), length(height));
        let backend = SVGBackend::with_string(&mut body, size);
        let mut canvas = Canvas { backend };
        canvas.bar((0.0, 0.0), (width, height), PAPER, 1.0);
        draw(&mut canvas);
        done(canvas.backend.present());
    }
    let Ok(label) = escape(label, Html);
    let (w, h) = (width * SCALE, height * SCALE);
    // plotters' own first line has neither label nor style.
    let rest = body.split_once('\n').map_or("", |(_, rest)| rest);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {w} {h}\" role=\"img\" \
         aria-label=\"{label}\">\n<title>{label}</title>\n\
         <style>{}</style>\n{rest}",
        style()
    )
}

/// Round line ends, and the dark twins of the palette: rules of a style sheet
/// win over the attributes that plotters writes.
fn style() -> String {
    let mut rules = String::from(
        "polyline,line{stroke-linecap:round;stroke-linejoin:round}\
         @media(prefers-color-scheme:dark){",
    );
    for (RGBColor(r, g, b), dark) in DARK {
        let light = format!("#{r:02X}{g:02X}{b:02X}");
        // Writing to a String cannot fail.
        let _ = write!(
            rules,
            "svg [fill=\"{light}\"]{{fill:{dark}}}\
             svg [stroke=\"{light}\"]{{stroke:{dark}}}"
        );
    }
    rules + "}"
}

impl Canvas<'_> {
    /// A straight line.
    pub(super) fn line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        ink: Ink,
        width: f64,
    ) {
        let style = stroke(ink, 1.0, width);
        done(self.backend.draw_line(point(from), point(to), &style));
    }

    /// A line through `points`.
    pub(super) fn path(
        &mut self,
        points: &[(f64, f64)],
        ink: Ink,
        alpha: f64,
        width: f64,
    ) {
        if points.len() < 2 {
            return;
        }
        let style = stroke(ink, alpha, width);
        let points = points.iter().map(|&at| point(at));
        done(self.backend.draw_path(points, &style));
    }

    /// A filled area.
    pub(super) fn area(&mut self, points: &[(f64, f64)], ink: Ink, alpha: f64) {
        let points = points.iter().map(|&at| point(at));
        done(self.backend.fill_polygon(points, &ink.mix(alpha)));
    }

    /// A filled rectangle between two corners.
    pub(super) fn bar(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        ink: Ink,
        alpha: f64,
    ) {
        let (from, to) = (point(from), point(to));
        done(self.backend.draw_rect(from, to, &ink.mix(alpha), true));
    }

    /// A filled disc.
    pub(super) fn dot(
        &mut self,
        at: (f64, f64),
        radius: f64,
        ink: Ink,
        alpha: f64,
    ) {
        let (at, radius) = (point(at), length(radius));
        done(self.backend.draw_circle(at, radius, &ink.mix(alpha), true));
    }

    /// A disc that stands out from the lines under it.
    pub(super) fn marker(&mut self, at: (f64, f64), radius: f64, ink: Ink) {
        self.dot(at, radius + 1.5, PAPER, 1.0);
        self.dot(at, radius, ink, 1.0);
    }

    /// A cross: something that has no place of its own.
    pub(super) fn cross(&mut self, at: (f64, f64), radius: f64, ink: Ink) {
        let (x, y) = at;
        let r = radius;
        self.line((x - r, y - r), (x + r, y + r), ink, 2.0);
        self.line((x - r, y + r), (x + r, y - r), ink, 2.0);
    }

    /// A text, vertically centred on `at`.
    pub(super) fn text(&mut self, text: &str, at: (f64, f64), kind: Type) {
        let h_pos = match kind.anchor {
            Anchor::Start | Anchor::Up => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let weight =
            if kind.bold { FontStyle::Bold } else { FontStyle::Normal };
        let mut style = TextStyle::from((FONT, kind.size * FONT_SCALE, weight))
            .pos(Pos::new(h_pos, VPos::Center))
            .color(&kind.ink);
        if kind.anchor == Anchor::Up {
            style = style.transform(FontTransform::Rotate270);
        }
        done(self.backend.draw_text(text, &style, point(at)));
    }
}

/// `text` cut to about `width` pixels at font size `size`.
pub(super) fn cut(text: &str, width: f64, size: f64) -> String {
    let fits = |letters: usize| text_width(letters, size) <= width;
    let letters = text.chars().count();
    if fits(letters) {
        return text.to_owned();
    }
    let most = (1..letters).take_while(|&n| fits(n + 1)).last().unwrap_or(0);
    let mut short: String = text.chars().take(most).collect();
    short.push('…');
    short
}

/// Pixels that a text needs, by the mean width of a sans-serif letter.
pub(super) fn text_width(letters: usize, size: f64) -> f64 {
    letters as f64 * size * 0.58
}

/// Pixels of the longest of `texts` at font size `size`, at most `most`.
pub(super) fn widest<'a>(
    texts: impl Iterator<Item = &'a str>,
    size: f64,
    most: f64,
) -> f64 {
    let longest = texts.map(|text| text.chars().count()).max().unwrap_or(0);
    text_width(longest, size).min(most)
}

fn stroke(ink: Ink, alpha: f64, width: f64) -> ShapeStyle {
    let color: RGBAColor = ink.mix(alpha);
    ShapeStyle { color, filled: false, stroke_width: length(width) }
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
fn point((x, y): (f64, f64)) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates"
)]
fn length(pixels: f64) -> u32 {
    (pixels * SCALE).round() as u32
}

fn done<E: std::fmt::Debug>(drawn: Result<(), E>) {
    drawn.expect("drawing into memory writes no file");
}
