import type { Secret } from '../../../api/core/secret/schema.ts';
import { own } from '../../../base/json/json.ts';

/** The credentials for registries in a Secret, as the contract of runtimes takes them. */
export interface PodPullSecret {
	readonly uid: string;
	readonly namespace: string;
	readonly name: string;
	readonly text: string;
	readonly isLegacy: boolean;
}

/** The types of Secrets with credentials for registries, and the key of each. */
const TYPES = [
	{ type: 'kubernetes.io/dockerconfigjson', key: '.dockerconfigjson', isLegacy: false },
	{ type: 'kubernetes.io/dockercfg', key: '.dockercfg', isLegacy: true },
];

/**
 * The credentials in a Secret; undefined if it has none, or is of another type, whatever its keys are (upstream:
 * `MakeDockerKeyring` in pkg/credentialprovider/secrets).
 */
export function pullSecretOf({ metadata, type, data = {} }: Secret): PodPullSecret | undefined {
	const found = TYPES.find((each) => each.type === type);
	const value = found && own(data, found.key);
	if (!found || typeof value !== 'string' || value === '') return undefined;
	const { uid = '', namespace = '', name = '' } = metadata;
	return { uid, namespace, name, text: decoded(value), isLegacy: found.isLegacy };
}

function decoded(base64: string): string {
	return new TextDecoder().decode(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)));
}
