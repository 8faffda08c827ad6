import type { Rule } from '../finding.ts';
import { FREEZE_RULES } from './freeze.ts';

/** Every rule, family by family. A new one is a row here, a function beside it and its cases. */
export const RULES: readonly Rule[] = [...FREEZE_RULES];
