/** One empty list for all who have nothing: one each would be paid for by ten thousand objects. */
export const NONE: readonly never[] = [];
