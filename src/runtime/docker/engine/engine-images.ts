import { JsonLines } from '../../../base/json/json-lines.ts';
import { type ImageReference, referenceText, repositoryText } from '../../../image/names/image-reference.ts';
import type { Credential } from '../../../image/registry/credentials/credential.ts';
import { type PullOptions, RuntimeUnavailable } from '../../contract.ts';
import { digestReference, pullError, pullWithEach } from '../../engines/image-pull.ts';
import { imageNameOf } from '../../image-names.ts';
import { itemsAt, numberAt, stringAt } from '../../json-values.ts';
import { type EngineClient, EngineError, isUnknown } from './engine-client.ts';

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
		const name = imageNameOf(image);
		try {
			const found = await this.#client.call('GET', `/images/${referenceText(name)}/json`);
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

	/**
	 * Has the engine pull the image, with each of the credentials until one of them permits it, as a kubelet does. Rejects
	 * with {@link ImageError}.
	 */
	async pull(image: string, options: PullOptions = {}): Promise<EngineImage> {
		const name = imageNameOf(image);
		try {
			return await pullWithEach(name, options, {
				pull: (credential) => this.#pullWith(image, name, credential),
				isRefusal: (error) => error instanceof EngineError,
			});
		} catch (error) {
			throw error instanceof EngineError ? pullError(name, error.message) : error;
		}
	}

	async #pullWith(
		image: string,
		name: ImageReference,
		credential: Credential | undefined,
	): Promise<EngineImage> {
		const query = { fromImage: repositoryText(name), tag: name.digest ?? name.tag ?? 'latest' };
		const headers = credential && { 'x-registry-auth': authHeader(credential, name) };
		await this.#readPull({ query, ...(headers && { headers }) });
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

/** The name by which the engine knows the image of a Pod: complete, so that its rules for short ones do not matter. */
export function engineNameOf(image: string): string {
	return referenceText(imageNameOf(image));
}

function refOf(found: unknown, name: ImageReference): string {
	const digests = itemsAt(found, 'RepoDigests').filter((each) => typeof each === 'string');
	return digestReference(name, digests) ?? stringAt(found, 'Id');
}

/** The header X-Registry-Auth: base64url of JSON. It is never part of an error, since engines do not repeat it. */
function authHeader(credential: Credential, { domain }: ImageReference): string {
	const serveraddress = domain === 'docker.io' ? 'https://index.docker.io/v1/' : domain;
	const text = Buffer.from(JSON.stringify({ serveraddress, ...fieldsOf(credential) })).toString('base64');
	// Go's decoder wants the padding, which Node's base64url leaves out.
	return text.replaceAll('+', '-').replaceAll('/', '_');
}

function fieldsOf({
	username,
	password,
	identityToken,
	registryToken,
}: Credential): Readonly<Record<string, string>> {
	if (identityToken !== undefined) return { identitytoken: identityToken };
	if (registryToken !== undefined) return { registrytoken: registryToken };
	return { username, password };
}
