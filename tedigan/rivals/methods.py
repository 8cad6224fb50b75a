"""The five rivals by name."""

from tedigan.rivals.attngan import AttnGan
from tedigan.rivals.controlgan import ControlGan
from tedigan.rivals.dfgan import DfGan
from tedigan.rivals.dmgan import DmGan
from tedigan.rivals.manigan import ManiGan
from tedigan.rivals.rival import Rival

METHODS: dict[str, type[Rival]] = {
    one.name: one for one in (AttnGan, ControlGan, DmGan, DfGan, ManiGan)
}
