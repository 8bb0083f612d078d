import { isRawObject, listAt, objectAt, type RawObject, textAt } from './raw-object.ts';

/**
 * The kubeconfig: clusters, users and contexts that pair them. Read from one file or several (the
 * first to name a thing wins, as in upstream), written for a server of ours.
 *
 * Programs that fetch credentials (`exec`) are not run; a user that needs one is refused with a reason.
 */

/** All that is needed to talk to a server. */
export interface ServerAccess {
	/** `https://127.0.0.1:6443`, perhaps with a path. */
	readonly server: string;
	/** The namespace of the context; `default` where it names none. */
	readonly namespace: string;
	/** PEM. */
	readonly certificateAuthority?: string;
	readonly skipTlsVerify?: boolean;
	/** The name to expect in the server's certificate, where it is not the host. */
	readonly tlsServerName?: string;
	readonly token?: string;
	/** PEM; both or none. */
	readonly clientCertificate?: string;
	readonly clientKey?: string;
}

/** A file that was read: its text and the folder it lies in, which its relative paths start from. */
export interface KubeconfigFile {
	readonly path: string;
	readonly text: string;
}

/** The kubeconfig cannot be used; the message says which file or entry and why. */
export class KubeconfigError extends Error {
	override readonly name = 'KubeconfigError';
}

/**
 * Reads `files` and resolves to the access that `context` (by default the current one) describes.
 * `readFile` fetches certificates and tokens that are given by path. Rejects with KubeconfigError.
 */
export async function readKubeconfig(
	files: readonly KubeconfigFile[],
	options: { readonly context?: string; readonly readFile: (path: string) => Promise<string> },
): Promise<ServerAccess> {
	const [first, ...others] = files;
	const own = first && others.length === 0 && !options.context ? parseWritten(first.text) : undefined;
	if (own) {
		const { server, certificateAuthority, token } = own;
		return { server, namespace: 'default', certificateAuthority, token };
	}
	const { parse } = await import('yaml');
	const parsed = files.map(({ path, text }) => ({ path, config: parseFile(path, text, parse) }));
	const named = parsed.map(({ config }) => textAt(config, 'current-context')).find((name) => name);
	const contextName = options.context ?? named;
	if (!contextName) throw new KubeconfigError(`${describe(files)}: no current-context is set`);
	const context = pick(parsed, 'contexts', 'context', contextName);
	const cluster = pick(parsed, 'clusters', 'cluster', textAt(context.value, 'cluster') ?? '');
	const userName = textAt(context.value, 'user');
	const user = userName ? pick(parsed, 'users', 'user', userName) : undefined;
	return resolveAccess({ context, cluster, user }, options.readFile);
}

/** What a kubeconfig says of a server of ours. */
export interface WrittenAccess {
	/** The name of its cluster, its user and its context. */
	readonly name: string;
	readonly server: string;
	/** PEM. */
	readonly certificateAuthority: string;
	readonly token: string;
}

/** The text of a kubeconfig with one cluster, one user with a token and one context, all named `name`. */
export function writeKubeconfig(access: WrittenAccess): string {
	// JSON's strings are YAML's, and the keys are plain: no YAML library is needed to write this.
	const name = JSON.stringify(access.name);
	return [
		'apiVersion: v1',
		'kind: Config',
		`current-context: ${name}`,
		'clusters:',
		`- name: ${name}`,
		'  cluster:',
		`    server: ${JSON.stringify(access.server)}`,
		`    certificate-authority-data: ${btoa(access.certificateAuthority)}`,
		'users:',
		`- name: ${name}`,
		'  user:',
		`    token: ${JSON.stringify(access.token)}`,
		'contexts:',
		`- name: ${name}`,
		'  context:',
		`    cluster: ${name}`,
		`    user: ${name}`,
		'',
	].join('\n');
}

/**
 * The access in a text that is, to the byte, what {@link writeKubeconfig} writes; undefined for any other.
 * Most commands meet such a file, and loading a YAML library for it would take them 10 ms.
 */
function parseWritten(text: string): WrittenAccess | undefined {
	const value = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
	try {
		const access = {
			name: String(JSON.parse(value(/^current-context: (".*")$/m))),
			server: String(JSON.parse(value(/^ {4}server: (".*")$/m))),
			certificateAuthority: atob(value(/^ {4}certificate-authority-data: (.*)$/m)),
			token: String(JSON.parse(value(/^ {4}token: (".*")$/m))),
		};
		if (Object.values(access).includes('')) return undefined;
		return writeKubeconfig(access) === text && URL.canParse(access.server) ? access : undefined;
	} catch {
		return undefined;
	}
}

interface Entry {
	/** The file that names it. */
	readonly path: string;
	readonly name: string;
	readonly value: RawObject;
}

type Parsed = readonly { readonly path: string; readonly config: RawObject }[];

function parseFile(path: string, text: string, parse: (text: string) => unknown): RawObject {
	let config: unknown;
	try {
		config = parse(text);
	} catch (error) {
		throw new KubeconfigError(`${path}: ${error instanceof Error ? error.message : error}`);
	}
	if (config === null || config === undefined) return {};
	if (!isRawObject(config)) throw new KubeconfigError(`${path}: this is not a kubeconfig`);
	return config;
}

function pick(parsed: Parsed, list: string, field: string, name: string): Entry {
	for (const { path, config } of parsed) {
		for (const item of listAt(config, list)) {
			if (textAt(item, 'name') === name) return { path, name, value: objectAt(item, field) };
		}
	}
	throw new KubeconfigError(`${describe(parsed)}: ${field} "${name}" does not exist`);
}

function describe(files: readonly { readonly path: string }[]): string {
	return files.map(({ path }) => path).join(', ');
}

async function resolveAccess(
	entries: { readonly context: Entry; readonly cluster: Entry; readonly user: Entry | undefined },
	readFile: (path: string) => Promise<string>,
): Promise<ServerAccess> {
	const { context, cluster, user } = entries;
	const server = textAt(cluster.value, 'server');
	if (!server || !URL.canParse(server)) {
		throw new KubeconfigError(`${cluster.path}: cluster "${cluster.name}" has no usable server address`);
	}
	if (user) refuseUnsupported(user);
	const material = (entry: Entry | undefined, field: string): Promise<string | undefined> =>
		pemOf(entry, field, readFile);
	return {
		server,
		namespace: textAt(context.value, 'namespace') || 'default',
		...defined('certificateAuthority', await material(cluster, 'certificate-authority')),
		...(cluster.value['insecure-skip-tls-verify'] === true && { skipTlsVerify: true }),
		...defined('tlsServerName', textAt(cluster.value, 'tls-server-name')),
		...defined('token', await tokenOf(user, readFile)),
		...defined('clientCertificate', await material(user, 'client-certificate')),
		...defined('clientKey', await material(user, 'client-key')),
	};
}

function refuseUnsupported({ path, name, value }: Entry): void {
	for (const way of ['exec', 'auth-provider', 'username']) {
		if (!(way in value)) continue;
		throw new KubeconfigError(
			`${path}: user "${name}" logs in by "${way}", which is not supported; use a token or a client certificate`,
		);
	}
}

/** Inline data goes before a file, as in upstream. */
async function pemOf(
	entry: Entry | undefined,
	field: string,
	readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
	if (!entry) return undefined;
	const data = textAt(entry.value, `${field}-data`);
	if (data) return fromBase64(entry, `${field}-data`, data);
	const path = textAt(entry.value, field);
	return path ? readBeside(entry, path, readFile) : undefined;
}

async function tokenOf(
	user: Entry | undefined,
	readFile: (path: string) => Promise<string>,
): Promise<string | undefined> {
	if (!user) return undefined;
	const token = textAt(user.value, 'token');
	if (token) return token;
	const path = textAt(user.value, 'tokenFile');
	return path ? (await readBeside(user, path, readFile)).trim() : undefined;
}

function fromBase64({ path, name }: Entry, field: string, data: string): string {
	try {
		return atob(data.replace(/\s/g, ''));
	} catch {
		throw new KubeconfigError(`${path}: ${field} of "${name}" is not base64`);
	}
}

async function readBeside(
	entry: Entry,
	path: string,
	readFile: (path: string) => Promise<string>,
): Promise<string> {
	const absolute = /^([A-Za-z]:)?[\\/]/.test(path);
	const folder = entry.path.replace(/[^\\/]*$/, '');
	try {
		return await readFile(absolute ? path : `${folder}${path}`);
	} catch (error) {
		throw new KubeconfigError(`${entry.path}: ${error instanceof Error ? error.message : error}`);
	}
}

function defined<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
	const part: { [P in K]?: string } = {};
	if (value !== undefined) part[name] = value;
	return part;
}
