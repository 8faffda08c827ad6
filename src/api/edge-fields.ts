import * as z from 'zod';
import { TLS_VERSIONS } from '../edge/guard.ts';

// Fields that the platform team (EdgePolicy) and a team (`spec.edge` of a GitOpsSource) both may set; the stricter one counts.

/** From the most lenient. */
export const EDGE_MODES = ['Off', 'Warn', 'Enforce'] as const;
export type EdgeMode = (typeof EDGE_MODES)[number];

/** From the most lenient. */
export const FAIL_ON = ['Error', 'Warning'] as const;
export type FailOn = (typeof FAIL_ON)[number];

export const edgeMode = z.enum(EDGE_MODES);
export const failOn = z.enum(FAIL_ON);
export const tlsFloor = z.enum(TLS_VERSIONS);
