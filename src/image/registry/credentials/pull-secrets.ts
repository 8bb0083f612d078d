import type { CredentialSource } from './credential.ts';
import { parseDockerCfg, parseDockerConfig } from './docker-config.ts';
import { Keyring } from './keyring.ts';

/** A Secret that a Pod names in `imagePullSecrets`. */
export interface PullSecret {
	readonly namespace: string;
	readonly name: string;
	/** The text of a `config.json` of Docker, or of the older `.dockercfg`, which is its part `auths` alone. */
	readonly text: string;
	readonly isLegacy: boolean;
}

/**
 * The credentials of a Pod's pull secrets (upstream: `MakeDockerKeyring` in pkg/credentialprovider/secrets). Helpers
 * in them are ignored, as upstream does. Throws CredentialError if one is malformed: the kubelet then fails the pull.
 */
export function credentialsOfSecrets(secrets: readonly PullSecret[]): CredentialSource {
	const keyring = Keyring.union(secrets.map(keyringOf));
	return {
		find: (repository) => {
			return Promise.resolve({ credentials: keyring.find(repository), problems: [] });
		},
	};
}

function keyringOf({ namespace, name, text, isLegacy }: PullSecret): Keyring {
	const origin = `secret ${namespace}/${name}`;
	return isLegacy ? parseDockerCfg(text, origin) : parseDockerConfig(text, origin).keyring;
}
