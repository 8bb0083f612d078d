import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { ImageReference } from '../names/image-reference.ts';
import { type RegistryAction, repositoryScope } from './auth/scopes.ts';
import { TokenSource } from './auth/token-source.ts';
import type { Credential, CredentialSource } from './credentials/credential.ts';
import { type Endpoint, type EndpointOptions, pullEndpoints, pushEndpoints } from './hosts/endpoints.ts';
import { HttpClient, type HttpTimeouts } from './http/http-client.ts';
import type { Environment } from './http/proxy.ts';
import { Repository } from './repository.ts';
import { Session, type Shared } from './requests.ts';

/**
 * The client of image registries (OCI distribution specification, and what Docker Hub does besides).
 *
 * 1. Content is checked while it arrives: digest and size are those of its descriptor, or reading it fails.
 * 2. Credentials go to the host for which they are configured, never to another one by a redirect, and over plain HTTP
 *    only to this machine or to hosts that the user listed. No error or log contains them.
 * 3. Each wait is bounded. A failure that may pass is retried a few times; longer back-off is the caller's.
 * 4. Errors are RegistryError: containerd's message, and a hint of ours.
 *
 * Order of reading: registry.ts, repository.ts (pull), upload.ts (push), image-fetch.ts (all documents of an image),
 * requests.ts (one request), auth/, hosts/ (mirrors), credentials/, http/.
 */
export class Registry {
	readonly #shared: Shared;
	readonly #options: RegistryOptions;

	constructor(options: RegistryOptions) {
		const { clock, random, env, timeouts, userAgent } = options;
		const client = new HttpClient({ clock, env, ...(timeouts && { timeouts }) });
		this.#options = options;
		this.#shared = { client, clock, random, userAgent, tokens: new TokenSource(client, clock) };
	}

	/**
	 * Access to the repository of an image, for the actions given, with the credentials that the source finds. Sends no
	 * request yet. Rejects with RegistryError if the name of the registry is impossible.
	 */
	async repository(reference: ImageReference, access: AccessOptions): Promise<Repository> {
		const { endpoints: options, registriesPath } = this.#options;
		const { actions, credentials } = access;
		const isPull = actions.every((action) => action === 'pull');
		const endpoints = isPull ? pullEndpoints(reference, options) : pushEndpoints(reference, options);
		const found = await Promise.all(endpoints.map(({ name }) => credentials.find(name)));
		const sessions = endpoints.flatMap((endpoint, index) =>
			candidates(endpoint, found[index]?.credentials ?? []).map(
				(credential) =>
					new Session({
						shared: this.#shared,
						endpoint,
						credential,
						scopes: scopesOf(endpoint, access),
						retries: endpoint === endpoints.at(-1),
					}),
			),
		);
		const problems = new Set(found.flatMap((each) => each.problems));
		const { clock } = this.#shared;
		return new Repository({ reference, sessions, clock, registriesPath, problems: [...problems] });
	}

	/** Closes all connections; requests in progress fail. */
	close(): void {
		this.#shared.client.close();
	}
}

/** The credentials to try at an endpoint, in order: each of those found, as the kubelet does; without any, none. */
function candidates(
	{ credential }: Endpoint,
	found: readonly Credential[],
): readonly (Credential | undefined)[] {
	const all = [...found, ...(credential ? [credential] : [])].slice(0, MAX_CREDENTIALS);
	return all.length > 0 ? all : [undefined];
}

function scopesOf({ path }: Endpoint, { actions, mountsFrom = [] }: AccessOptions): readonly string[] {
	return [repositoryScope(path, actions), ...mountsFrom.map((from) => repositoryScope(from, ['pull']))];
}

/** What for, and with what, a repository is accessed. */
export interface AccessOptions {
	readonly credentials: CredentialSource;
	readonly actions: readonly RegistryAction[];
	/** Paths of other repositories from which blobs are mounted. */
	readonly mountsFrom?: readonly string[];
}

/** More are not tried: each costs requests, and registries lock out clients with many wrong passwords. */
const MAX_CREDENTIALS = 8;

/** The parts and settings of a {@link Registry}. */
export interface RegistryOptions {
	readonly clock: Clock;
	readonly random: Random;
	/** For the proxy variables. */
	readonly env: Environment;
	readonly endpoints: EndpointOptions;
	/** The file of mirrors, for hints. */
	readonly registriesPath: string;
	/** `stint/<version>`. */
	readonly userAgent: string;
	readonly timeouts?: HttpTimeouts;
}
