/** metav1.LabelSelector: everything in it must hold; an empty one selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[] | undefined;
}

/** As Kubernetes reads it: a label that is not there is not among any values, so `NotIn` selects it. */
export function selects(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  const isAmong = ({ key, values = [] }: LabelRequirement): boolean => has(key) && values.includes(labels[key]!);
  const holds = (requirement: LabelRequirement): boolean => {
    switch (requirement.operator) {
      case 'In':
        return isAmong(requirement);
      case 'NotIn':
        return !isAmong(requirement);
      case 'Exists':
        return has(requirement.key);
      case 'DoesNotExist':
        return !has(requirement.key);
    }
  };
  return (
    Object.entries(matchLabels).every(([key, value]) => has(key) && labels[key] === value) &&
    matchExpressions.every(holds)
  );
}
