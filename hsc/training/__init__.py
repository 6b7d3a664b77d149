"""Training: from the generator and folders of faces to the weights that ship.

Order of the stages: pairs, preview, glance, inversion, colour, fine, likeness, latents, semantic, feature,
joint, directions, gains.
"""

from argparse import Namespace


def run(stage: str, args: Namespace) -> None:
    """Run one stage; see ``hsc.training.stages``.

    Args:
        stage: its name.
        args: the command line's: data, work, steps, minutes, batch, device, fresh.
    """
    from hsc.training import stages
    from hsc.training.setting import Setting

    getattr(stages, stage.replace("-", "_"))(Setting.from_args(args))
