import { JsonLines } from '../../../base/json/json-lines.ts';
import { ImageError, type PullOptions, type RegistryAuth, RuntimeUnavailable } from '../../contract.ts';
import { type ImageName, parseImageName } from '../../process/images/image-name.ts';
import { type EngineClient, EngineError, isUnknown } from './engine-client.ts';
import { itemsAt, numberAt, stringAt } from './engine-values.ts';

/** An image of the engine. */
export interface EngineImage {
	/** The reference by its digest, `repository@sha256:…`; its id if it was never in a registry. */
	readonly imageRef: string;
	readonly sizeBytes: number;
	/** The user of its containers, `name`, `id` or either with `:group`; empty: root. */
	readonly user: string;
}

/** The images of a container engine. They are the user's: nothing here removes one. */
export class EngineImages {
	readonly #client: EngineClient;

	constructor(client: EngineClient) {
		this.#client = client;
	}

	/** The image; undefined if the engine does not have it. Rejects with {@link ImageError} for a malformed name. */
	async find(image: string): Promise<EngineImage | undefined> {
		const name = nameOf(image);
		try {
			const found = await this.#client.call('GET', `/images/${fullName(name)}/json`);
			return {
				imageRef: refOf(found, name),
				sizeBytes: numberAt(found, 'Size'),
				user: stringAt(found, 'Config', 'User'),
			};
		} catch (error) {
			if (isUnknown(error)) return undefined;
			throw error;
		}
	}

	/** Has the engine pull the image. Rejects with {@link ImageError}. */
	async pull(image: string, { auth }: PullOptions = {}): Promise<EngineImage> {
		const name = nameOf(image);
		const query = { fromImage: name.repository, tag: name.digest ?? name.tag ?? 'latest' };
		const headers = auth && { 'x-registry-auth': authHeader(auth, name) };
		try {
			await this.#readPull({ query, ...(headers && { headers }) });
		} catch (error) {
			if (!(error instanceof EngineError)) throw error;
			throw pullError(name, error.message);
		}
		const found = await this.find(image);
		if (!found) throw pullError(name, 'the engine does not have it after the pull');
		return found;
	}

	/** Reads the progress, which is a stream of values: Podman reports errors there. */
	async #readPull(what: { query: Record<string, string>; headers?: Record<string, string> }): Promise<void> {
		const stream = await this.#client.open('POST', '/images/create', what);
		const lines = new JsonLines();
		let problem = '';
		try {
			for await (const chunk of stream) {
				for (const line of lines.push(chunk))
					problem ||= stringAt(line, 'errorDetail', 'message') || stringAt(line, 'error');
			}
		} catch {
			throw new RuntimeUnavailable('the connection to the container engine was lost during a pull');
		}
		if (problem !== '') throw new EngineError(500, problem);
	}
}

function pullError(name: ImageName, why: string): ImageError {
	return new ImageError('ErrImagePull', `failed to pull and unpack image "${fullName(name)}": ${why}`);
}

/** The parsed name. Throws {@link ImageError} if it is malformed. */
function nameOf(image: string): ImageName {
	const name = parseImageName(image);
	if (name) return name;
	const why = `couldn't parse image name "${image}": invalid reference format`;
	throw new ImageError('InvalidImageName', `Failed to apply default image tag "${image}": ${why}`);
}

/** The complete name, so that the engine's rules for short ones do not matter. */
function fullName({ repository, tag = 'latest', digest }: ImageName): string {
	return digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** The name by which the engine knows the image of a Pod. */
export function engineNameOf(image: string): string {
	return fullName(nameOf(image));
}

function refOf(found: unknown, { repository }: ImageName): string {
	const refs = itemsAt(found, 'RepoDigests').flatMap((each) => {
		const name = typeof each === 'string' ? parseImageName(each) : undefined;
		return name?.digest === undefined ? [] : [name];
	});
	const own = refs.find((each) => each.repository === repository) ?? refs[0];
	return own ? `${own.repository}@${own.digest}` : stringAt(found, 'Id');
}

/** The header X-Registry-Auth: base64url of JSON. It is never part of an error, since engines do not repeat it. */
function authHeader(auth: RegistryAuth, { repository }: ImageName): string {
	const host = repository.slice(0, repository.indexOf('/'));
	const serveraddress = host === 'docker.io' ? 'https://index.docker.io/v1/' : host;
	const text = Buffer.from(JSON.stringify({ serveraddress, ...credentialsOf(auth) })).toString('base64');
	// Go's decoder wants the padding, which Node's base64url leaves out.
	return text.replaceAll('+', '-').replaceAll('/', '_');
}

function credentialsOf(auth: RegistryAuth): Readonly<Record<string, string>> {
	if ('identityToken' in auth) return { identitytoken: auth.identityToken };
	if ('registryToken' in auth) return { registrytoken: auth.registryToken };
	return { username: auth.username, password: auth.password };
}
