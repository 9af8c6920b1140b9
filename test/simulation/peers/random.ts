// Any, blind to everything.
import type { RuleMaker } from '../routers/peer-router.ts';

export const anyone: RuleMaker = ({ random }) => ({
  choose: (_, able) => able[Math.floor(random() * able.length)] ?? 0,
});
