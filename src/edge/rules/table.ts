import type { Rule } from '../finding.ts';
import { ATTACHMENT_RULES } from './attachment.ts';
import { BINDING_RULES } from './bindings.ts';
import { ENVOY_VALUE_RULES } from './envoy-values.ts';
import { BULK_RULES } from './bulk.ts';
import { FORM_RULES } from './form.ts';
import { FREEZE_RULES } from './freeze.ts';
import { GLOBAL_RULES } from './global.ts';
import { GRANT_RULES } from './grants.ts';
import { GROUP_RULES } from './groups.ts';
import { MODULE_RULES } from './module.ts';
import { NAME_RULES } from './names.ts';
import { OPTION_RULES } from './options.ts';
import { ORDER_RULES } from './order.ts';
import { SIZE_RULES } from './size.ts';
import { TCP_RULES } from './tcp.ts';
import { TLS_CONTEXT_RULES } from './tls-contexts.ts';
import { TLS_HOST_RULES } from './tls-hosts.ts';
import { TLS_SECRET_RULES } from './tls-secrets.ts';
import { UPSTREAM_RULES } from './upstreams.ts';
import { WEIGHT_RULES } from './weights.ts';

/** Every rule, family by family. A new one is a row here, a function beside it and its cases. */
export const RULES: readonly Rule[] = [
  ...FREEZE_RULES,
  ...ENVOY_VALUE_RULES,
  ...GROUP_RULES,
  ...WEIGHT_RULES,
  ...NAME_RULES,
  ...ORDER_RULES,
  ...ATTACHMENT_RULES,
  ...BINDING_RULES,
  ...UPSTREAM_RULES,
  ...OPTION_RULES,
  ...TLS_HOST_RULES,
  ...TLS_CONTEXT_RULES,
  ...TLS_SECRET_RULES,
  ...TCP_RULES,
  ...GLOBAL_RULES,
  ...MODULE_RULES,
  ...FORM_RULES,
  ...GRANT_RULES,
  ...SIZE_RULES,
  ...BULK_RULES,
];
