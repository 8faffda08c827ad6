import { mapping, object, type RuleCases } from './case.ts';
import type { EdgeObject } from '../input.ts';

/** One route with a Mapping for each weight. */
function weighted(...weights: (number | bigint | undefined)[]): EdgeObject[] {
  return weights.map((weight, at) => mapping(`t1/m${at}`, { weight }));
}

export const WEIGHT_CASES: Record<string, RuleCases> = {
  EM014: {
    flags: {
      'one above 100': { objects: weighted(101, undefined), finds: { impact: 'outage', says: /101/ } },
      'of a TCPMapping': [
        object('TCPMapping', 't1/a', { port: 9000, service: 'a', weight: 101 }),
        object('TCPMapping', 't1/b', { port: 9000, service: 'b' }),
      ],
    },
    passes: { 'a lone one': weighted(101), 'all of it': weighted(100, undefined) },
  },
  EM015: {
    flags: {
      'three share the last 2 %': {
        objects: weighted(98, undefined, undefined, undefined),
        finds: { severity: 'warning', says: /0 %/ },
      },
      '60 + 60': { objects: weighted(60, 60n), finds: { impact: 'steal', says: /60 \+ 60/ } },
    },
    passes: {
      '60 + 40': weighted(60, 40),
      'one above 100': weighted(101, 60),
      'all to the canary': weighted(100, undefined),
    },
  },
  EM016: {
    flags: { '30 + 20': { objects: weighted(30, 20), finds: { impact: 'steal', says: /leave 50 %/ } } },
    passes: { '30 and the rest': weighted(30, undefined), 'a lone one': weighted(30) },
  },
  EM017: {
    flags: {
      'a canary without its stable Mapping': { objects: weighted(0), finds: { severity: 'warning', says: /weight 0/ } },
      'above 100': weighted(101),
    },
    passes: { 'no weight': weighted(undefined), 'weight 100': weighted(100), 'two Mappings': weighted(10, undefined) },
  },
};
