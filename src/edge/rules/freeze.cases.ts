import { mapping, object, type RuleCases } from './case.ts';

export const FREEZE_CASES: Record<string, RuleCases> = {
  EM003: {
    flags: {
      'a negative weight': {
        objects: [mapping('t1/m', { weight: -5 })],
        finds: { object: 'Mapping t1/m', severity: 'error', says: /weight -5/ },
      },
      'a negative time': [mapping('t1/m', { timeout_ms: -1 })],
      'a negative time inside': [mapping('t1/m', { retry_policy: { retry_on: '5xx', per_try_timeout_ms: -1n } })],
      'a port that is none': [object('TCPMapping', 't1/m', { port: 70_000, service: 'db' })],
    },
    passes: {
      'weight 0': [mapping('t1/m', { weight: 0 })],
      'a port that is one': [object('TCPMapping', 't1/m', { port: 6379, service: 'db' })],
    },
  },
};
