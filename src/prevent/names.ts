import { FIELD_MANAGER, GROUP } from '../api/names.ts';

/** On our policies and bindings; its value is the namespace that the operator is limited to, or `all`. */
export const PREVENT_LABEL = `${GROUP}/prevent`;
/** The names of both policies; an operator that is limited to one namespace has its own, with that namespace behind it. */
export const POLICY = `${FIELD_MANAGER}-prevent`;
export const SCALE_POLICY = `${FIELD_MANAGER}-prevent-scale`;
