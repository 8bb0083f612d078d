import { createPrivateKey, X509Certificate } from 'node:crypto';
import { secrets } from '../../api/core/secret/definition.ts';
import { pemProblem } from '../../api/core/secret/tls-warnings.ts';
import { attempt } from '../../base/attempt.ts';
import { base64OfBytes, base64OfText } from '../../base/base64.ts';
import { type CliContext, CommandError } from '../context.ts';
import { escapeHtml } from '../print/json.ts';
import { type DataFlags, readBytes, readData } from './data-sources.ts';
import { nameHash } from './name-hash.ts';
import { type CreateFlags, createNew, oneName } from './new-object.ts';

/** The flags of all `create secret` commands. */
export interface SecretFlags extends CreateFlags {
	readonly appendHash?: boolean;
}

/** The flags of `create secret generic`. */
export interface GenericSecretFlags extends SecretFlags, DataFlags {
	readonly type?: string;
}

/** `stint create secret generic NAME`. Resolves to the exit code. */
export async function createGenericSecret(
	context: CliContext,
	names: readonly string[],
	flags: GenericSecretFlags,
): Promise<number> {
	const name = oneName(names, 'secret generic');
	const data = await readData(context, flags, { kind: 'Secret', name });
	return createSecret(context, { name, type: flags.type ?? '', data }, flags);
}

/** The flags of `create secret tls`. */
export interface TlsSecretFlags extends SecretFlags {
	readonly cert?: string;
	readonly key?: string;
}

/** `stint create secret tls NAME`. Resolves to the exit code. */
export async function createTlsSecret(
	context: CliContext,
	names: readonly string[],
	flags: TlsSecretFlags,
): Promise<number> {
	const name = oneName(names, 'secret tls');
	const { cert = '', key = '' } = flags;
	if (cert === '' || key === '') throw new CommandError('key and cert must be specified');
	const [certificate, privateKey] = [await readPem(context, cert), await readPem(context, key)];
	checkPair(certificate.toString(), privateKey.toString());
	const data = new Map([
		['tls.crt', certificate],
		['tls.key', privateKey],
	]);
	return createSecret(context, { name, type: 'kubernetes.io/tls', data }, flags);
}

async function readPem(context: CliContext, path: string): Promise<Buffer> {
	try {
		return Buffer.from(await readBytes(context, path));
	} catch (error) {
		if (error instanceof CommandError) throw new CommandError(`Cannot read file ${path}, ${error.message}`);
		throw error;
	}
}

/** Throws a CommandError with the text of Go's tls.X509KeyPair unless the key is that of the certificate. */
function checkPair(certificate: string, key: string): void {
	const problem = pemProblem(certificate, key);
	if (problem !== undefined) throw new CommandError(problem);
	const leaf = attempt(() => new X509Certificate(certificate));
	if (!leaf) throw new CommandError('x509: malformed certificate');
	const privateKey = attempt(() => createPrivateKey(key));
	if (!privateKey) throw new CommandError('tls: failed to parse private key');
	if (leaf.checkPrivateKey(privateKey)) return;
	const isSameType = leaf.publicKey.asymmetricKeyType === privateKey.asymmetricKeyType;
	throw new CommandError(
		isSameType
			? 'tls: private key does not match public key'
			: 'tls: private key type does not match public key type',
	);
}

/** The flags of `create secret docker-registry`. */
export interface RegistrySecretFlags extends SecretFlags {
	readonly fromFile: readonly string[];
	readonly dockerUsername?: string;
	readonly dockerPassword?: string;
	readonly dockerEmail?: string;
	readonly dockerServer?: string;
}

/** The registry of images whose names have none. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** `stint create secret docker-registry NAME`. Resolves to the exit code. */
export async function createRegistrySecret(
	context: CliContext,
	names: readonly string[],
	flags: RegistrySecretFlags,
): Promise<number> {
	const name = oneName(names, 'secret docker-registry');
	const { fromFile, dockerUsername = '', dockerPassword = '', dockerServer = DOCKER_HUB } = flags;
	if (fromFile.length === 0 && (dockerUsername === '' || dockerPassword === '' || dockerServer === ''))
		throw new CommandError(
			'either --from-file or the combination of --docker-username, --docker-password and --docker-server is required',
		);
	const sources = { fromFile, fromLiteral: [], fromEnvFile: [] };
	const data =
		fromFile.length > 0
			? await readData(context, sources, { kind: 'Secret', name })
			: new Map([['.dockerconfigjson', Buffer.from(registryConfig(flags, dockerServer))]]);
	return createSecret(context, { name, type: 'kubernetes.io/dockerconfigjson', data }, flags);
}

/** The text of a `~/.docker/config.json`, as Go encodes it. */
function registryConfig(flags: RegistrySecretFlags, server: string): string {
	const { dockerUsername: username = '', dockerPassword: password = '', dockerEmail: email = '' } = flags;
	const auth = base64OfText(`${username}:${password}`);
	const entry = { username, password, ...(email !== '' && { email }), auth };
	return escapeHtml(JSON.stringify({ auths: { [server]: entry } }));
}

interface SecretContent {
	readonly name: string;
	/** Empty: the server's default, Opaque. */
	readonly type: string;
	readonly data: ReadonlyMap<string, Uint8Array>;
}

function createSecret(
	context: CliContext,
	{ name, type, data: values }: SecretContent,
	flags: SecretFlags,
): Promise<number> {
	const data = Object.fromEntries([...values].map(([key, value]) => [key, base64OfBytes(value)]));
	const suffix = flags.appendHash ? `-${nameHash({ kind: 'Secret', type, name, data })}` : '';
	const manifest = { metadata: { name: `${name}${suffix}` }, data, ...(type !== '' && { type }) };
	return createNew(context, { definition: secrets, manifest, failure: 'failed to create secret ' }, flags);
}
