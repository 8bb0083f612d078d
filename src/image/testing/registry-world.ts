import { SeededRandom } from '../../base/testing/seeded-random.ts';
import { parseImageReference } from '../names/image-reference.ts';
import type { RegistryAction } from '../registry/auth/scopes.ts';
import {
	type Credential,
	type CredentialSource,
	NO_CREDENTIALS,
} from '../registry/credentials/credential.ts';
import type { EndpointOptions } from '../registry/hosts/endpoints.ts';
import { NO_REGISTRIES_CONFIG } from '../registry/hosts/registries-config.ts';
import { HTTP_TIMEOUTS } from '../registry/http/http-client.ts';
import type { Environment } from '../registry/http/proxy.ts';
import { Registry } from '../registry/registry.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Repository } from '../registry/repository.ts';
import { RetryClock } from './retry-clock.ts';

/** What differs from a client without configuration. */
export interface WorldOptions {
	readonly endpoints?: Partial<EndpointOptions>;
	readonly env?: Environment;
	readonly credentials?: CredentialSource;
	readonly actions?: readonly RegistryAction[];
	readonly mountsFrom?: readonly string[];
}

/** A client of registries with a clock of the test. */
export class RegistryWorld {
	readonly clock = new RetryClock();
	readonly registry: Registry;
	readonly #options: WorldOptions;

	constructor(options: WorldOptions = {}) {
		this.#options = options;
		this.registry = new Registry({
			clock: this.clock,
			random: new SeededRandom(1),
			env: options.env ?? {},
			endpoints: { config: NO_REGISTRIES_CONFIG, insecureRegistries: [], ...options.endpoints },
			registriesPath: 'registries.yaml',
			userAgent: 'stint/test',
		});
	}

	/** Access to the repository of an image by its name. */
	repository(name: string): Promise<Repository> {
		const { credentials = NO_CREDENTIALS, actions = ['pull'], mountsFrom = [] } = this.#options;
		return this.registry.repository(parseImageReference(name), { credentials, actions, mountsFrom });
	}

	/** Settles as the promise does. Until then, all timeouts but those of connecting expire as soon as they are set. */
	async expiring<T>(promise: Promise<T>): Promise<T> {
		let isSettled = false;
		const settled = promise.finally(() => {
			isSettled = true;
		});
		// The rejection is for the caller.
		settled.catch(() => undefined);
		while (!isSettled) {
			await new Promise((resolve) => setImmediate(resolve));
			this.clock.expire(HTTP_TIMEOUTS.headMs);
		}
		return settled;
	}

	/** The error with which the promise rejects. */
	async failure(promise: Promise<unknown>): Promise<RegistryError> {
		try {
			await promise;
		} catch (error) {
			if (error instanceof RegistryError) return error;
			throw error;
		}
		throw new Error('no failure');
	}
}

/** Credentials for every repository. */
export function credentialsFor(...credentials: readonly Omit<Credential, 'origin'>[]): CredentialSource {
	const found = credentials.map((each, index) => ({ origin: `credential ${index}`, ...each }));
	return { find: () => Promise.resolve({ credentials: found, problems: [] }) };
}

/** All pieces of a blob. */
export async function allOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
	return Buffer.concat(await Array.fromAsync(pieces));
}
