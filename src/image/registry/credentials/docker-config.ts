import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../../../base/files/system-error.ts';
import { isRecord, type JsonRecord, own } from '../../../base/json/json.ts';
import { readJson } from '../../../base/json/json-reader.ts';
import { messageOf } from '../../../base/message-of.ts';
import type { Environment } from '../http/proxy.ts';
import type { Credential, CredentialSource, FoundCredentials } from './credential.ts';
import { askCredentialHelper } from './credential-helper.ts';
import { Keyring } from './keyring.ts';

/**
 * Credentials in the files that `docker login` and `podman login` write, and of the helper programs that these name:
 *
 *     {"auths": {"registry.example.com": {"auth": "<base64 of user:password>"}},
 *      "credsStore": "secretservice", "credHelpers": {"ghcr.io": "gh"}}
 *
 * Secrets of type kubernetes.io/dockerconfigjson have the same form; see pull-secrets.ts.
 */

/** A configuration is malformed. The message does not contain parts of it, which may be secret. */
export class CredentialError extends Error {
	override readonly name = 'CredentialError';
}

/** A configuration, read. */
export interface DockerConfig {
	readonly keyring: Keyring;
	/** The names of helper programs by registry; the one for all others has the empty name. */
	readonly helpers: ReadonlyMap<string, string>;
}

const LIMITS = { values: 100_000, depth: 16 };

/** Reads a configuration. `origin` is recorded in its credentials. Throws {@link CredentialError}. */
export function parseDockerConfig(text: string, origin: string): DockerConfig {
	const config = recordIn(text, origin);
	const helpers = new Map<string, string>();
	const perRegistry = own(config, 'credHelpers');
	for (const [registry, name] of Object.entries(isRecord(perRegistry) ? perRegistry : {}))
		if (typeof name === 'string') helpers.set(registry, name);
	const store = own(config, 'credsStore');
	if (typeof store === 'string' && store !== '') helpers.set('', store);
	return { keyring: Keyring.of(entriesOf(own(config, 'auths'), origin)), helpers };
}

/** Reads the older form, without the outer object: Secrets of type kubernetes.io/dockercfg. */
export function parseDockerCfg(text: string, origin: string): Keyring {
	return Keyring.of(entriesOf(recordIn(text, origin), origin));
}

function recordIn(text: string, origin: string): JsonRecord {
	let value: unknown;
	try {
		value = readJson(text, LIMITS).value;
	} catch {
		// The reader's message shows characters of the text.
		throw new CredentialError(`${origin}: not valid JSON`);
	}
	if (!isRecord(value)) throw new CredentialError(`${origin}: not a JSON object`);
	return value;
}

function entriesOf(auths: unknown, origin: string): readonly (readonly [string, Credential])[] {
	if (auths === undefined || auths === null) return [];
	if (!isRecord(auths)) throw new CredentialError(`${origin}: auths is not an object`);
	return Object.entries(auths).flatMap(([location, entry]) => {
		if (!isRecord(entry)) throw new CredentialError(`${origin}: an entry of auths is not an object`);
		const credential = credentialOf(entry, origin);
		return credential ? [[location, credential] as const] : [];
	});
}

/** The credential of an entry; undefined if it has none, as that of a registry whose helper has it. */
function credentialOf(entry: JsonRecord, origin: string): Credential | undefined {
	const text = (key: string): string => {
		const value = own(entry, key) ?? '';
		if (typeof value !== 'string') throw new CredentialError(`${origin}: ${key} is not a string`);
		return value;
	};
	const auth = text('auth');
	const [username, password] = auth === '' ? [text('username'), text('password')] : decodeAuth(auth, origin);
	const identityToken = text('identitytoken');
	const registryToken = text('registrytoken');
	if (!username && !password && !identityToken && !registryToken) return undefined;
	return {
		username,
		password,
		...(identityToken && { identityToken }),
		...(registryToken && { registryToken }),
		origin,
	};
}

/** The user and the password in `auth` (upstream: `decodeDockerConfigFieldAuth`). Throws {@link CredentialError}. */
export function decodeAuth(auth: string, origin: string): readonly [string, string] {
	const compact = auth.replace(/[\r\n]/g, '');
	const decoded = Buffer.from(compact, 'base64').toString('utf8');
	const colon = decoded.indexOf(':');
	if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || colon < 0)
		throw new CredentialError(
			`${origin}: unable to parse auth field, must be formatted as base64(username:password)`,
		);
	// docker pads with NUL.
	return [decoded.slice(0, colon), decoded.slice(colon + 1).replace(/\0+$/, '')];
}

/** Where docker and podman keep the credentials of the user, the file that applies first being the first. */
export function dockerConfigPaths(env: Environment, home: string): readonly string[] {
	const containers = 'containers/auth.json';
	return [
		join(env.DOCKER_CONFIG || join(home, '.docker'), 'config.json'),
		...(env.REGISTRY_AUTH_FILE ? [env.REGISTRY_AUTH_FILE] : []),
		...(env.XDG_RUNTIME_DIR ? [join(env.XDG_RUNTIME_DIR, containers)] : []),
		join(env.XDG_CONFIG_HOME || join(home, '.config'), containers),
	];
}

/** The credentials in these files, which are read at each search, since a login may happen at any time. */
export class DockerConfigFiles implements CredentialSource {
	readonly #paths: readonly string[];
	readonly #env: Environment;

	/** `env` is the environment of the helper programs. */
	constructor(paths: readonly string[], env: Environment) {
		this.#paths = paths;
		this.#env = env;
	}

	async find(repository: string): Promise<FoundCredentials> {
		const credentials: Credential[] = [];
		const problems: string[] = [];
		for (const path of this.#paths) {
			try {
				const text = await readFile(path, 'utf8');
				credentials.push(...(await this.#search(parseDockerConfig(text, path), repository)));
			} catch (error) {
				if (!isMissing(error)) problems.push(`Credentials could not be read: ${messageOf(error)}.`);
			}
		}
		return { credentials, problems };
	}

	/** The helper's credential precedes those of the file, as in docker. */
	async #search({ keyring, helpers }: DockerConfig, repository: string): Promise<readonly Credential[]> {
		const registry = repository.split('/', 1).join();
		const names =
			registry === 'docker.io' ? ['https://index.docker.io/v1/', 'index.docker.io', registry] : [registry];
		const helper = names.map((name) => helpers.get(name)).find((name) => name) ?? helpers.get('');
		const found = keyring.find(repository);
		if (helper === undefined) return found;
		const [server = registry] = names;
		const helped = await askCredentialHelper({ helper, server, env: this.#env });
		return helped ? [helped, ...found] : found;
	}
}
