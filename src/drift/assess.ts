import { withinStack } from '../kube/depth.ts';
import type { Identity, KubeObject } from '../kube/object.ts';
import type { Body } from '../render/body.ts';
import { MAX_DEPTH } from '../render/node.ts';
import { ignoredFields, NOTHING_BESIDE, type Beside } from './beside.ts';
import { explainJudgement, type DriftedField } from './explain.ts';
import type { FieldPath } from './fields.ts';
import { foreignField, foreignFields } from './foreign.ts';
import { judge, unmoved, type Baseline, type Judgement } from './judge.ts';
import { isLax, policyFor, type DriftPolicy } from './policy.ts';

/** The part of a declaration (sync/desired.ts) that an object is held against. */
export interface Kept {
  readonly apiVersion: string;
  readonly identity: Identity;
  readonly policy: { readonly ssa: string };
  readonly body: Body;
  readonly givenUp?: { readonly createBody: Body };
}

/** Everything that one look at a live object says. */
export interface Assessment {
  readonly judgement: Judgement;
  /** What the judgement says, field by field, and what is to be removed; values are raw. */
  readonly fields: DriftedField[];
  /** Fields that others added and that the source wants removed: they are drift, too. Part of `fields`. */
  readonly unwanted: DriftedField[];
  readonly beside: Beside;
}

interface Look {
  readonly manager: string;
  readonly baseline?: Baseline | undefined;
  readonly policy: DriftPolicy;
}

/** No manifest is nested deeper (MAX_DEPTH in render/node.ts), and managedFields holds it some levels down. */
const DEEPEST = MAX_DEPTH + 8;

/** Judges a live object as its source wants it judged. Pure; no request. */
export function assess(kept: Kept, live: KubeObject, look: Look): Assessment {
  return withinStack(
    live,
    DEEPEST,
    (readable) => assessUnmoved(kept, readable, look) ?? assessReadable(kept, readable, look),
  );
}

/** Where nobody asks what others have, the declaration is parsed only if something of ours moved. */
function assessUnmoved({ apiVersion }: Kept, live: KubeObject, look: Look): Assessment | undefined {
  const { manager, baseline, policy } = look;
  const next = baseline && isLax(policy) ? unmoved(live, { apiVersion, manager, baseline }) : undefined;
  if (!next) return undefined;
  return { judgement: { kind: 'inSync', baseline: next }, fields: [], unwanted: [], beside: NOTHING_BESIDE };
}

function assessReadable(kept: Kept, live: KubeObject, { manager, baseline, policy }: Look): Assessment {
  const declared = JSON.parse(kept.body.text) as KubeObject;
  const { concessions, ignored, foreignFields: wish, tolerated } = policyFor(policy, kept, declared);
  const judgement = judge({ declared, live, manager, baseline, concessions });
  const added =
    wish === 'Leave' || judgement.kind === 'terminating'
      ? []
      : foreignFields({ declared, live, manager, tolerated }).map(foreignField);
  const whole = kept.givenUp ? (JSON.parse(kept.givenUp.createBody.text) as KubeObject) : declared;
  const unwanted = wish === 'Remove' ? added : [];
  return {
    judgement,
    fields: [...explainJudgement(judgement, declared, live, manager), ...unwanted],
    unwanted,
    beside: {
      ignored: ignoredFields(whole, live, { paths: ignored, surrendered: surrenderedIn(judgement) }),
      foreign: wish === 'Report' ? added : [],
    },
  };
}

/** Declared paths that others hold and may. */
export function surrenderedIn(judgement: Judgement): readonly FieldPath[] {
  if (judgement.kind === 'surrendered') return judgement.paths;
  return 'surrendered' in judgement ? judgement.surrendered : [];
}
