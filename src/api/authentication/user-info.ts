import type { User } from '../contract/user.ts';
import { type Infer, list, map, object, optional, string } from '../schema/schema.ts';

/** Schema of authentication.k8s.io/v1 UserInfo. */
export const userInfoSchema = object(
	'io.k8s.api.authentication.v1.UserInfo',
	'Identity of a user, as authentication found it.',
	{
		username: optional(string, 'Name of the user: unique among all users at one time.'),
		uid: optional(string, 'Identifier that tells users of the same name at different times apart.'),
		groups: optional(list(string), 'Names of the groups that the user belongs to.'),
		extra: optional(map(list(string)), 'Further properties that the authenticator found, by name.'),
	},
);

/** Identity of a user. */
type UserInfo = Infer<typeof userInfoSchema>;

/** The identity as objects of the API show it. */
export function userInfoOf({ name, uid, groups, extra }: User): UserInfo {
	return { username: name, ...(uid && { uid }), groups, ...(extra && { extra }) };
}
