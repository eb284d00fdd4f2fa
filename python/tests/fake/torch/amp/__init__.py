class GradScaler:
    factor = 1024.0

    def scale(self, outputs):
        return outputs * self.factor

    def step(self, optimizer):
        weights = [w for group in optimizer.param_groups for w in group["params"]]
        if any(w.grad - w.grad != 0 for w in weights if w.grad is not None):
            return None
        for w in weights:
            if w.grad is not None:
                w.grad /= self.factor
        return optimizer.step()
