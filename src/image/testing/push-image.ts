import { digestOf } from '../digest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import type { Repository } from '../registry/repository.ts';
import {
	type PushedBlob,
	type PushOptions,
	type PushOutcome,
	pushBlob,
	pushManifest,
} from '../registry/upload.ts';
import { RegistryWorld } from './registry-world.ts';
import type { TestImage } from './test-image.ts';

/** Content to push, which is read in pieces. */
export function pushedBlob(content: Uint8Array): PushedBlob {
	const descriptor = { mediaType: MEDIA_TYPES.layer, digest: digestOf(content), size: content.byteLength };
	return {
		descriptor,
		async *open() {
			for (let at = 0; at < content.byteLength; at += 1000) yield content.subarray(at, at + 1000);
		},
	};
}

/** Pushes an image or an index with all of its content, under the tag of the repository's reference. */
export async function pushImage(
	repository: Repository,
	{ content, manifest }: Pick<TestImage, 'content' | 'manifest'>,
	options: PushOptions = {},
): Promise<readonly PushOutcome[]> {
	const outcomes: PushOutcome[] = [];
	const manifests: Uint8Array[] = [];
	for (const [digest, bytes] of content) {
		if (Buffer.from(bytes).toString().startsWith('{"schemaVersion"')) manifests.push(bytes);
		else outcomes.push(await pushBlob(repository, pushedBlob(content.get(digest) ?? bytes), options));
	}
	for (const bytes of manifests) {
		const mediaType = /"mediaType":"([^"]+)"/.exec(Buffer.from(bytes).toString())?.[1] ?? '';
		const isRoot = digestOf(bytes) === manifest.digest;
		const object = isRoot ? (repository.reference.tag ?? 'latest') : digestOf(bytes);
		await pushManifest(repository, { bytes, mediaType, object });
	}
	return outcomes;
}

/** Pushes an image by its whole name, with a client of its own. */
export async function pushAs(
	name: string,
	image: Pick<TestImage, 'content' | 'manifest'>,
	options: PushOptions = {},
): Promise<readonly PushOutcome[]> {
	const { mountFrom } = options;
	const world = new RegistryWorld({
		actions: ['pull', 'push'],
		...(mountFrom !== undefined && { mountsFrom: [mountFrom] }),
	});
	try {
		return await pushImage(await world.repository(name), image, options);
	} finally {
		world.registry.close();
	}
}
