// The user that is known and may do nothing, with some rights in the namespace of one World.
import type { World } from './operator.ts';

export interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}

export interface Granted {
  /** The user, for further bindings. */
  subject: object;
  /** Replaces the rules. */
  grant: (rules: Rule[]) => Promise<unknown>;
}

/** Grants the rules in the namespace. The token is `cluster.tokens.restricted`. */
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
  const grant = (newRules: Rule[]) => world.expect(200, 'PATCH', `${roles}/${name}`, { body: { rules: newRules } });
  return { subject, grant };
}
