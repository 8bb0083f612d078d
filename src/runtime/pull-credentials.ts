import { homedir } from 'node:os';
import { type CredentialSource, unionOfCredentials } from '../image/registry/credentials/credential.ts';
import { DockerConfigFiles, dockerConfigPaths } from '../image/registry/credentials/docker-config.ts';
import { credentialsOfSecrets } from '../image/registry/credentials/pull-secrets.ts';
import type { ImagePullSecret } from './contract.ts';

/**
 * The credentials for a pull: those of the Pod's Secrets, then those of the user who runs stint (`docker login`), in the
 * order in which a kubelet tries them. Throws CredentialError if a Secret is malformed.
 */
export function pullCredentials(pullSecrets: readonly ImagePullSecret[]): CredentialSource {
	const { env } = process;
	const own = new DockerConfigFiles(dockerConfigPaths(env, homedir()), env);
	return unionOfCredentials([credentialsOfSecrets(pullSecrets), own]);
}
