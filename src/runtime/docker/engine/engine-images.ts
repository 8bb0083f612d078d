import { attempt } from '../../../base/attempt.ts';
import { JsonLines } from '../../../base/json/json-lines.ts';
import {
	type ImageReference,
	InvalidImageNameError,
	parseImageReference,
	pullReference,
	referenceText,
	repositoryText,
} from '../../../image/names/image-reference.ts';
import type { Credential } from '../../../image/registry/credentials/credential.ts';
import { ImageError, type PullOptions, RuntimeUnavailable } from '../../contract.ts';
import { pullCredentials } from '../../pull-credentials.ts';
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
	async pull(image: string, { pullSecrets = [] }: PullOptions = {}): Promise<EngineImage> {
		const name = nameOf(image);
		const { credentials } = await credentialsFor(name, pullSecrets);
		let failure: unknown;
		for (const credential of credentials.length > 0 ? credentials : [undefined]) {
			try {
				return await this.#pullWith(image, name, credential);
			} catch (error) {
				failure = error;
				if (!(error instanceof EngineError)) throw error;
			}
		}
		throw failure instanceof EngineError ? pullError(name, failure.message) : failure;
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

function pullError(name: ImageReference, why: string): ImageError {
	return new ImageError('ErrImagePull', `failed to pull and unpack image "${referenceText(name)}": ${why}`);
}

async function credentialsFor(
	name: ImageReference,
	pullSecrets: NonNullable<PullOptions['pullSecrets']>,
): Promise<{ readonly credentials: readonly Credential[] }> {
	try {
		return await pullCredentials(pullSecrets).find(repositoryText(name));
	} catch (error) {
		throw pullError(name, error instanceof Error ? error.message : String(error));
	}
}

/** The parsed name, complete. Throws {@link ImageError} if it is malformed. */
function nameOf(image: string): ImageReference {
	try {
		return pullReference(image);
	} catch (error) {
		if (!(error instanceof InvalidImageNameError)) throw error;
		const text = `Failed to apply default image tag "${image}": ${error.message}`;
		throw new ImageError('InvalidImageName', text);
	}
}

/** The name by which the engine knows the image of a Pod: complete, so that its rules for short ones do not matter. */
export function engineNameOf(image: string): string {
	return referenceText(nameOf(image));
}

function refOf(found: unknown, name: ImageReference): string {
	const repository = repositoryText(name);
	const refs = itemsAt(found, 'RepoDigests').flatMap((each) => {
		const ref = typeof each === 'string' ? attempt(() => parseImageReference(each)) : undefined;
		return ref?.digest === undefined ? [] : [{ repository: repositoryText(ref), digest: ref.digest }];
	});
	const own = refs.find((each) => each.repository === repository) ?? refs[0];
	return own ? `${own.repository}@${own.digest}` : stringAt(found, 'Id');
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
