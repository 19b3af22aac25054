package wallarm

import "slices"

// Role is the name of a role, as it stands in the permissions of users and tokens. New ones may appear: the value for the Console's role
// API Developer is not published. Giving a global role needs a Global Administrator.
type Role string

// The roles whose names on the wire are known. Global roles also apply to the tenants below the account.
const (
	RoleAdmin               Role = "admin"
	RoleAdminExtended       Role = "admin_ext"
	RoleAnalyst             Role = "analytic"
	RoleReadOnly            Role = "auditor"
	RoleDeploy              Role = "deploy"
	RoleGlobalAdmin         Role = "partner_admin"
	RoleGlobalAdminExtended Role = "partner_admin_ext"
	RoleGlobalAnalyst       Role = "partner_analytic"
	RoleGlobalReadOnly      Role = "partner_auditor"
)

var knownRoles = []Role{
	RoleAdmin, RoleAdminExtended, RoleAnalyst, RoleReadOnly, RoleDeploy,
	RoleGlobalAdmin, RoleGlobalAdminExtended, RoleGlobalAnalyst, RoleGlobalReadOnly,
}

// Permissions is what an API token may do: the rights of a [Role], or [CustomPermissions].
type Permissions interface{ permissionNames() []string }

// CustomPermissions are single rights by their names on the wire. The vendor does not publish the names; those of the caller stand in
// [User].ActualPermissions. A token that is read has CustomPermissions if it has anything but exactly one known role.
type CustomPermissions []string

func (r Role) permissionNames() []string { return []string{string(r)} }

func (p CustomPermissions) permissionNames() []string { return p }

// permissionsOf sorts out what a list of names means. No names are no permissions to speak of: nil.
func permissionsOf(names []string) Permissions {
	switch {
	case len(names) == 0:
		return nil
	case len(names) == 1 && slices.Contains(knownRoles, Role(names[0])):
		return Role(names[0])
	}
	return CustomPermissions(names)
}

// checkPermissions refuses permissions that say nothing.
func checkPermissions(argument string, p Permissions) error {
	if p == nil {
		return invalid(argument, "give a Role or CustomPermissions")
	}
	names := p.permissionNames()
	if len(names) == 0 || slices.Contains(names, "") {
		return invalid(argument, "it is empty")
	}
	return nil
}
