import { from, mapping, object, type RuleCases, service } from './case.ts';

const CONFIG =
  'apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nname: m\nhostname: a.com\nprefix: /y/\nservice: b\n';

export const NAME_CASES: Record<string, RuleCases> = {
  EM019: {
    flags: {
      'two versions of one route': {
        objects: [mapping('t1/app.v1', { weight: 50 }), mapping('t1/app.v2', { weight: 50 })],
        finds: { severity: 'error', object: 'Mapping t1/app.v2', other: 'Mapping t1/app.v1' },
      },
      'one without a dot': [mapping('t1/app'), mapping('t1/app.v2', { weight: 50 })],
      TCPMappings: [
        object('TCPMapping', 't1/app.v1', { port: 9000, service: 'a' }),
        object('TCPMapping', 't1/app.v2', { port: 9000, service: 'b' }),
      ],
      'two routes': {
        objects: [mapping('t1/app.v1', { prefix: '/v1/' }), mapping('t1/app.v2', { prefix: '/v2/' })],
        finds: { severity: 'warning' },
      },
    },
    passes: {
      dashes: [mapping('t1/app-v1', { weight: 50 }), mapping('t1/app-v2', { weight: 50 })],
      'two namespaces': [mapping('t1/app.v1'), mapping('t2/app.v2')],
      'a dot alone': [mapping('t1/app.v1')],
    },
  },
  EM020: {
    flags: {
      'two sources': {
        objects: [
          from('one', mapping('t1/m'), 'one.yaml'),
          from('two', mapping('t1/m', { prefix: '/y/' }), 'two.yaml'),
        ],
        finds: { severity: 'error', says: /one\.yaml.*two\.yaml|two\.yaml.*one\.yaml/ },
      },
      'a resource and an annotation': {
        objects: [mapping('t1/m'), service('t1/svc', CONFIG)],
        finds: { says: /annotation of Service t1\/svc/ },
      },
      'twice in an annotation': [service('t1/svc', `${CONFIG}---\n${CONFIG}`)],
    },
    passes: {
      'two namespaces': [mapping('t1/m'), mapping('t2/m', { prefix: '/y/' })],
      'two kinds': [mapping('t1/m'), object('TCPMapping', 't1/m', { port: 9000, service: 'a' })],
    },
  },
};
