import * as z from 'zod';
import type { KubeObject } from '../kube/object.ts';
import { LABEL_SELECTOR } from '../edge/label-selector.ts';
import type { EdgePolicyStatus } from './edge-policy-status.ts';
import { edgeMode, failOn, tlsFloor } from './edge-fields.ts';
import { matching, namespaceName, text, withRules } from './fields.ts';

// Like the GitOpsSource: one schema is the type, the validation and the CRD.

const atomicList = { 'x-kubernetes-list-type': 'atomic' };

const ignored = z.object({
  rule: withRules(
    text(16, 'The rule, such as EM051; see docs/reference/findings.md.'),
    matching(/^EM[0-9A-F]{3}$/, 'must be the id of a rule, such as EM051'),
  ),
  reason: text(512, 'Why it does not matter here.').min(1),
});

const hostGlob = text(253, 'A host as a Host names it: shop.example.com, *.example.com, or * for every host.').min(1);

const grant = withRules(
  z.object({
    name: text(63, 'What messages call the holder; left out, the namespaces.').min(1).optional(),
    namespaces: z
      .array(namespaceName('A namespace.'))
      .max(256)
      .meta({ description: 'The namespaces that hold the grant.', ...atomicList })
      .optional(),
    selector: z
      .object({
        matchLabels: z
          .record(z.string(), text(63, 'A value.'))
          .meta({ description: 'Labels that the namespace has, each with this value.' }),
      })
      .meta({ description: 'The namespaces with these labels hold the grant.' })
      .optional(),
    hosts: z
      .array(hostGlob)
      .max(256)
      .meta({ description: 'The hosts that they, and nobody else, may publish. Left out: every host.', ...atomicList })
      .optional(),
    prefixes: z
      .array(text(1024, 'A path prefix.').min(1))
      .max(256)
      .meta({ description: 'Of those hosts, the paths that begin so. Left out: every path.', ...atomicList })
      .optional(),
    kinds: z
      .array(text(63, 'A kind.').min(1))
      .max(32)
      .meta({
        description:
          'Kinds beside Mapping and TCPMapping that they may declare, such as Host or TLSContext. Left out: every kind.',
        ...atomicList,
      })
      .optional(),
  }),
  {
    cel: 'has(self.namespaces) != has(self.selector)',
    holds: ({ namespaces, selector }) => (namespaces === undefined) !== (selector === undefined),
    message: 'must have either namespaces or selector',
  },
);

const override = z.object({
  source: withRules(
    text(317, 'namespace/name of a GitOpsSource.'),
    matching(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9][-a-z0-9.]*$/, 'must be namespace/name of a GitOpsSource'),
  ),
  commit: withRules(
    text(40, 'The one commit that may pass: its full id.'),
    matching(/^[0-9a-f]{40}$/, 'must be a full commit id: 40 lower-case hexadecimal digits'),
  ),
  reason: text(512, 'Why; it stands in the audit log.').min(1),
});

const environmentVariable = z.object({
  name: withRules(
    text(255, 'Its name.'),
    matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable, such as DOMAIN'),
  ),
  value: text(4096, 'Its value. Not for secrets: it stands in findings.'),
});

/** The spec of an EdgePolicy: input is what a person may write, output has every default filled in. */
export const edgePolicySpec = z
  .object({
    ambassadorId: text(253, 'The AMBASSADOR_ID of the gateway that this policy is about.').min(1).default('default'),
    emissaryVersion: withRules(
      text(32, 'The version of Emissary-ingress that runs there.'),
      matching(/^[0-9]+\.[0-9]+\.[0-9]+$/, 'must be a version such as 4.1.0'),
    ).default('4.1.0'),
    namespace: namespaceName('The namespace that Emissary runs in.').default('emissary'),
    singleNamespace: z
      .boolean()
      .default(false)
      .meta({ description: 'It reads its own namespace only (AMBASSADOR_SINGLE_NAMESPACE).' }),
    labelSelector: withRules(
      text(
        1024,
        'It reads only what has these labels (AMBASSADOR_LABEL_SELECTOR). Of Secrets the labels are not looked at.',
      ),
      matching(LABEL_SELECTOR, 'must be a label selector such as edge=public,tier in (web, api)'),
    ).optional(),
    environment: z
      .array(environmentVariable)
      .max(256)
      .meta({
        description: 'Variables of its container that policies use: Emissary puts them in for $NAME and ${NAME}.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      })
      .optional(),
    strictLabelSelectors: z.boolean().default(true).meta({
      description:
        'Of the labels of a selector all must fit. false: one is enough (DISABLE_STRICT_LABEL_SELECTORS), as before 3.2 and 2.4.',
    }),
    mode: edgeMode.default('Enforce').meta({
      description:
        'The least that every source must accept. Enforce: a commit that would hurt the edge is not applied. Warn: it is, ' +
        'and what is wrong is reported; only what would freeze the whole gateway is stopped. Off: nothing is judged.',
    }),
    failOn: failOn.default('Error').meta({ description: 'New findings of this severity or worse stop a commit.' }),
    tlsFloor: tlsFloor.default('v1.2').meta({ description: 'A lower version of TLS is an error.' }),
    ignore: z
      .array(ignored)
      .max(64)
      .meta({ description: 'Rules that are left out.', ...atomicList })
      .optional(),
    grants: z
      .array(grant)
      .max(256)
      .meta({ description: 'Which hosts and paths belong to whom: nobody else may publish them.', ...atomicList })
      .optional(),
    unclaimed: z.enum(['FirstCome', 'Deny']).default('FirstCome').meta({
      description:
        'Hosts that no grant names. FirstCome: they belong to whoever publishes them first. Deny: nobody may publish them.',
    }),
    overrides: z
      .array(override)
      .max(64)
      .meta({ description: 'Commits that pass whatever is found, each written to the audit log.', ...atomicList })
      .optional(),
  })
  .meta({ description: 'What holds for everybody who publishes something on this gateway.' });

/** `spec` with every default filled in. */
export type EdgePolicySpec = z.output<typeof edgePolicySpec>;

/** A policy as the API server gives it; `spec` is not trusted, see parseEdgePolicy. */
export interface EdgePolicy extends KubeObject {
  kind: 'EdgePolicy';
  spec: unknown;
  status?: EdgePolicyStatus;
}
