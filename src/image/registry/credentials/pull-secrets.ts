import { own } from '../../../base/json/json.ts';
import type { CredentialSource } from './credential.ts';
import { parseDockerCfg, parseDockerConfig } from './docker-config.ts';
import { Keyring } from './keyring.ts';

/** A Secret that a Pod names in `imagePullSecrets`. */
export interface PullSecret {
	readonly namespace: string;
	readonly name: string;
	/** Undefined means Opaque. */
	readonly type?: string;
	/** The values, in base64. */
	readonly data: Readonly<Record<string, string>>;
}

/** The types of Secrets with credentials of registries, and the key of each. */
const SECRET_KEYS = {
	'kubernetes.io/dockerconfigjson': '.dockerconfigjson',
	'kubernetes.io/dockercfg': '.dockercfg',
} as const;

/**
 * The credentials of a Pod's pull secrets (upstream: `MakeDockerKeyring` in pkg/credentialprovider/secrets). Secrets of
 * other types are ignored, as upstream does; helpers in them are, too. Throws CredentialError if one is
 * malformed: the kubelet then fails the pull.
 */
export function credentialsOfSecrets(secrets: readonly PullSecret[]): CredentialSource {
	const keyring = Keyring.union(secrets.flatMap((secret) => keyringOf(secret) ?? []));
	return {
		find: (repository) => {
			return Promise.resolve({ credentials: keyring.find(repository), problems: [] });
		},
	};
}

function keyringOf({ namespace, name, type, data }: PullSecret): Keyring | undefined {
	if (type !== 'kubernetes.io/dockerconfigjson' && type !== 'kubernetes.io/dockercfg') return undefined;
	const value = own(data, SECRET_KEYS[type]);
	if (typeof value !== 'string' || value === '') return undefined;
	const text = Buffer.from(value, 'base64').toString('utf8');
	const origin = `secret ${namespace}/${name}`;
	return type === 'kubernetes.io/dockercfg'
		? parseDockerCfg(text, origin)
		: parseDockerConfig(text, origin).keyring;
}
