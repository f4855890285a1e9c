// Role-based access control: a Role for one namespace, a ClusterRole for all of them.
local read = ['get', 'list', 'watch'];
local status = ['get', 'patch', 'update'];
local own = read + ['create', 'delete', 'patch', 'update'];

{
  read:: read,
  status:: status,
  own:: own,

  rule(group, resources, verbs):: { apiGroups: [group], resources: resources, verbs: verbs },

  account(metadata):: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata },

  // A role and its binding to a service account in `namespace`; with `wide`, a cluster role.
  granted(metadata, wide, account, namespace, rules):: (
    local scope = if wide then 'Cluster' else '';
    local named = if wide then { namespace:: null } else {};
    [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: scope + 'Role',
        metadata: metadata + named,
        rules: rules,
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: scope + 'RoleBinding',
        metadata: metadata + named,
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: scope + 'Role', name: metadata.name },
        subjects: [{ kind: 'ServiceAccount', name: account, namespace: namespace }],
      },
    ]
  ),
}
