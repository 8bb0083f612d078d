import { readFile, stat } from 'node:fs/promises';
import { isMissing } from '../../../base/files/system-error.ts';
import { isList, isRecord, type JsonRecord } from '../../../base/json/json.ts';
import { messageOf } from '../../../base/message-of.ts';
import { readYaml } from '../../../base/yaml/read-yaml.ts';
import type { Credential } from '../credentials/credential.ts';
import { CredentialError, decodeAuth } from '../credentials/docker-config.ts';
import type { TlsSettings } from '../http/agents.ts';
import { RegistryError } from '../registry-error.ts';

/**
 * The configuration of registries in the form of k3s's `registries.yaml`:
 *
 *     mirrors:
 *       docker.io:
 *         endpoint: ["https://mirror.example.com"]
 *         rewrite: {"^library/(.*)": "hub/$1"}
 *       k3d-registry:50664:
 *         endpoint: ["http://127.0.0.1:50664"]
 *     configs:
 *       mirror.example.com:
 *         auth: {username: u, password: p}
 *         tls: {ca_file: /etc/ca.pem, cert_file: …, key_file: …, insecure_skip_verify: false}
 *
 * `*` stands for all registries without an entry of their own. A replacement refers to groups as `$1`. Endpoints are tried in order, and last the registry
 * itself. An unknown field is an error: a misspelt `tls` would otherwise be ignored silently.
 */
export interface RegistriesConfig {
	readonly mirrors: ReadonlyMap<string, Mirror>;
	/** By host and port. */
	readonly hosts: ReadonlyMap<string, HostConfig>;
}

/** Where else the images of a registry are. */
export interface Mirror {
	readonly endpoints: readonly URL[];
	/** Changes the paths of repositories: of the first pattern that matches. */
	readonly rewrites: readonly { readonly pattern: RegExp; readonly replacement: string }[];
}

/** How a host is accessed. */
export interface HostConfig {
	readonly credential?: Credential;
	readonly tls?: TlsSettings;
}

/** No mirrors, and nothing special about any host. */
export const NO_REGISTRIES_CONFIG: RegistriesConfig = { mirrors: new Map(), hosts: new Map() };

const LIMITS = { values: 10_000, depth: 16 };
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads the file, and the certificates that it names; a missing file means no configuration. Rejects with RegistryError. */
export async function readRegistriesConfig(path: string): Promise<RegistriesConfig> {
	let text: string;
	try {
		// A named pipe would be waited for without end.
		if (!(await stat(path)).isFile()) throw invalid(path, 'must be a file');
		text = await readFile(path, 'utf8');
	} catch (error) {
		if (error instanceof RegistryError) throw error;
		if (isMissing(error)) return NO_REGISTRIES_CONFIG;
		throw invalid(path, messageOf(error));
	}
	if (text.length > MAX_FILE_BYTES) throw invalid(path, `must not be larger than ${MAX_FILE_BYTES} bytes`);
	return parseRegistriesConfig(text, { path, readCertificate: (file) => readFile(file, 'utf8') });
}

/** What {@link parseRegistriesConfig} needs besides the text. */
export interface RegistriesSource {
	/** Names the text in errors. */
	readonly path: string;
	readCertificate(path: string): Promise<string>;
}

/** As {@link readRegistriesConfig}, of a text. */
export async function parseRegistriesConfig(
	text: string,
	source: RegistriesSource,
): Promise<RegistriesConfig> {
	const { path } = source;
	let value: unknown;
	try {
		const read = readYaml(text, LIMITS);
		value = read.value ?? {};
		const [duplicate] = read.repeated;
		if (duplicate) throw new Error(duplicate.message);
	} catch (error) {
		throw invalid(path, messageOf(error));
	}
	const file = fieldsOf(value, { path, at: '', known: ['mirrors', 'configs'] });
	const mirrors = Object.entries(fieldsOf(file.mirrors ?? {}, { path, at: 'mirrors' })).map(
		([name, mirror]) => [name, mirrorOf(mirror, path, `mirrors.${name}`)] as const,
	);
	const configs = Object.entries(fieldsOf(file.configs ?? {}, { path, at: 'configs' })).map(
		async ([name, config]) => [name, await hostConfigOf(config, source, `configs.${name}`)] as const,
	);
	return { mirrors: new Map(mirrors), hosts: new Map(await Promise.all(configs)) };
}

function mirrorOf(value: unknown, path: string, at: string): Mirror {
	const { endpoint = [], rewrite } = fieldsOf(value ?? {}, { path, at, known: ['endpoint', 'rewrite'] });
	if (!isList(endpoint)) throw invalid(path, `${at}.endpoint is not a list`);
	const rewrites = Object.entries(fieldsOf(rewrite ?? {}, { path, at: `${at}.rewrite` }));
	return {
		endpoints: endpoint.map((each) => endpointUrl(each, path, at)),
		rewrites: rewrites.map(([pattern, replacement]) => {
			if (typeof replacement !== 'string')
				throw invalid(path, `${at}.rewrite has a value that is not a string`);
			// Go writes references to groups also as ${1} and ${name}.
			const converted = replacement.replace(/\$\{(\w+)\}/g, (_, name) =>
				/^\d+$/.test(name) ? `$${name}` : `$<${name}>`,
			);
			return { pattern: patternOf(pattern, path, at), replacement: converted };
		}),
	};
}

function patternOf(pattern: string, path: string, at: string): RegExp {
	try {
		return new RegExp(pattern.replaceAll('(?P<', '(?<'), 'g');
	} catch {
		throw invalid(path, `${at}.rewrite: ${JSON.stringify(pattern)} is not a regular expression`);
	}
}

function endpointUrl(value: unknown, path: string, at: string): URL {
	const text = typeof value === 'string' && !value.includes('://') ? `https://${value}` : value;
	const url = typeof text === 'string' ? URL.parse(text) : null;
	if (!url || !/^https?:$/.test(url.protocol))
		throw invalid(path, `${at}.endpoint has a value that is not a URL`);
	if (url.username || url.password) throw invalid(path, `${at}.endpoint has a user: write it in configs`);
	return url;
}

async function hostConfigOf(value: unknown, source: RegistriesSource, at: string): Promise<HostConfig> {
	const { auth, tls } = fieldsOf(value ?? {}, { path: source.path, at, known: ['auth', 'tls'] });
	const credential = credentialOf(auth ?? {}, source.path, `${at}.auth`);
	if (credential && at === 'configs.*')
		throw invalid(source.path, `${at}.auth would send the credentials to every registry`);
	const settings = await tlsOf(tls ?? {}, source, `${at}.tls`);
	return { ...(credential && { credential }), ...(settings && { tls: settings }) };
}

function credentialOf(value: unknown, path: string, at: string): Credential | undefined {
	const known = ['username', 'password', 'auth', 'identity_token'];
	const fields = fieldsOf(value, { path, at, known });
	const text = (name: string): string => textField(fields, name, { path, at });
	try {
		const auth = text('auth');
		const [username, password] = auth === '' ? [text('username'), text('password')] : decodeAuth(auth, path);
		const identityToken = text('identity_token');
		if (!username && !password && !identityToken) return undefined;
		return { username, password, ...(identityToken && { identityToken }), origin: path };
	} catch (error) {
		if (error instanceof CredentialError) throw invalid(path, `${at}.auth is not base64 of user:password`);
		throw error;
	}
}

async function tlsOf(value: unknown, source: RegistriesSource, at: string): Promise<TlsSettings | undefined> {
	const { path } = source;
	const known = ['ca_file', 'cert_file', 'key_file', 'insecure_skip_verify'];
	const fields = fieldsOf(value, { path, at, known });
	const { insecure_skip_verify: skip = false } = fields;
	if (typeof skip !== 'boolean') throw invalid(path, `${at}.insecure_skip_verify is not a boolean`);
	const read = async (name: string): Promise<string | undefined> => {
		const file = textField(fields, name, { path, at });
		if (file === '') return undefined;
		try {
			return await source.readCertificate(file);
		} catch (error) {
			throw invalid(path, `${at}.${name}: ${messageOf(error)}`);
		}
	};
	const [ca, cert, key] = await Promise.all([read('ca_file'), read('cert_file'), read('key_file')]);
	if ((cert === undefined) !== (key === undefined))
		throw invalid(path, `${at}: cert_file and key_file must be set together`);
	if (!ca && !cert && !skip) return undefined;
	return {
		...(ca && { ca }),
		...(cert && { cert }),
		...(key && { key }),
		...(skip && { insecureSkipVerify: true }),
	};
}

interface Place {
	readonly path: string;
	readonly at: string;
	readonly known?: readonly string[];
}

function fieldsOf(value: unknown, { path, at, known }: Place): JsonRecord {
	if (!isRecord(value)) throw invalid(path, `${at || 'the file'} is not a map`);
	const unknown = known && Object.keys(value).find((name) => !known.includes(name));
	if (unknown !== undefined)
		throw invalid(path, `unknown field ${JSON.stringify(at ? `${at}.${unknown}` : unknown)}`);
	return value;
}

function textField(fields: JsonRecord, name: string, { path, at }: Place): string {
	const value = (Object.hasOwn(fields, name) ? fields[name] : undefined) ?? '';
	// A password of digits alone is a number in YAML.
	if (typeof value === 'number' || typeof value === 'bigint') return String(value);
	if (typeof value !== 'string') throw invalid(path, `${at}.${name} is not a string`);
	return value;
}

function invalid(path: string, problem: string): RegistryError {
	return new RegistryError(`${path}: ${problem}`, { kind: 'invalid' });
}
