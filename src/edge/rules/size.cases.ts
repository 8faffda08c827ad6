import type { EdgeObject } from '../input.ts';
import { from, host, mapping, type RuleCases } from './case.ts';

function hosts(count: number): EdgeObject[] {
  return Array.from({ length: count }, (_, at) => from('hosts', host(`t1/h${at}`, { hostname: `h${at}.com` })));
}

/** Each is served by every Host. */
function everywhere(count: number, source = 'mappings'): EdgeObject[] {
  return Array.from({ length: count }, (_, at) =>
    from(
      source,
      mapping(`t2/${source}-${at}`, { hostname: undefined, host: '.*', host_regex: true, prefix: `/${source}/${at}/` }),
    ),
  );
}

export const SIZE_CASES: Record<string, RuleCases> = {
  EM00C: {
    flags: {
      'Mappings for all of many Hosts': {
        objects: [...hosts(710), ...everywhere(710)],
        count: 2,
        finds: {
          object: 'Mapping t2/mappings-0',
          impact: 'freeze',
          says: /710 routes: the Mappings of source mappings/,
        },
      },
      'Hosts for the Mappings of several': {
        objects: [...hosts(710), ...everywhere(355, 'one'), ...everywhere(355, 'two')],
        count: 1,
        finds: { object: 'Host t1/h0', severity: 'error', says: /the Hosts of source hosts make 50\d{4} routes/ },
      },
    },
    passes: {
      'a few less': [...hosts(700), ...everywhere(700)],
      'as many, each on a Host of its own': [
        ...hosts(710),
        ...Array.from({ length: 710 }, (_, at) => mapping(`t2/m${at}`, { hostname: `h${at}.com` })),
      ],
    },
  },
};
