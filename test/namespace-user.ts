// The user that is known and may do nothing, with some rights in the namespace of one World.
import type { World } from './operator.ts';
import { rightsInForce, type Rule } from './rights.ts';

export interface Granted {
  /** The user, for further bindings. */
  subject: object;
  /** Replaces the rules, and waits until those are in force. */
  grant: (rules: Rule[]) => Promise<void>;
}

/** Grants the rules in the namespace, and waits until they are in force. The token is `cluster.tokens.restricted`. */
export async function grantRestricted(world: World, rules: Rule[]): Promise<Granted> {
  const name = 'restricted-here';
  const roles = world.path('rbac.authorization.k8s.io/v1/roles');
  await world.expect(201, 'POST', roles, { body: { metadata: { name }, rules } });
  const review = await world.expect(201, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    token: world.cluster.tokens.restricted,
    body: {},
  });
  const { username } = (review['status'] as { userInfo: { username: string } }).userInfo;
  const subject = { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: username };
  await world.expect(201, 'POST', world.path('rbac.authorization.k8s.io/v1/rolebindings'), {
    body: {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [subject],
    },
  });
  const who = { user: username, namespace: world.namespace };
  let granted = rules;
  await rightsInForce(world.cluster, who, rules);
  const grant = async (newRules: Rule[]) => {
    await world.expect(200, 'PATCH', `${roles}/${name}`, { body: { rules: newRules } });
    const gone = granted.filter((rule) => !newRules.includes(rule));
    await rightsInForce(world.cluster, who, newRules, gone);
    granted = newRules;
  };
  return { subject, grant };
}
