import * as z from 'zod';
import { count } from './fields.ts';
import { condition } from './status.ts';

/** The status of an EdgePolicy. Everything but observedGeneration is optional: a fresh policy has none of it. */
export const edgePolicyStatus = z
  .object({
    // -1 until the first look, or tools that follow kstatus would call a fresh policy ready.
    observedGeneration: z.int().min(-1).default(-1).meta({
      description: 'The generation of the spec that this status is about.',
      format: 'int64',
    }),
    conditions: z
      .array(condition)
      .max(16)
      .meta({
        description: 'Ready and Overridden; see docs/reference/conditions.md.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      })
      .optional(),
    routes: count('Routes of the gateway: groups of Mappings and TCPMappings.').optional(),
    hosts: count('Hosts of the gateway that are served.').optional(),
    sources: count('GitOpsSources that have something there and are judged by this policy.').optional(),
    blocked: count('GitOpsSources whose newest commit is stopped because of this gateway.').optional(),
    errors: count('Findings of severity error on the whole gateway, whoever they are about.').optional(),
    warnings: count('Findings of severity warning.').optional(),
  })
  .meta({ description: 'What the policy does now; without Emissary in the cluster it is not looked at.' });

export type EdgePolicyStatus = z.output<typeof edgePolicyStatus>;
