import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { SystemRandom } from '../../base/random.ts';
import type { Digest } from '../digest.ts';
import { ImageStore, type ImageStoreOptions, type ImageToAdd } from '../store/image-store.ts';
import type { BuiltImage } from './image-builder.ts';
import { testFolder } from './trees.ts';

/** Stores for tests. They do not wait for the disk unless a test asks for it. */

/** The options of a test's store in this folder. */
export function storeOptions(root: string): ImageStoreOptions {
	const ownership = process.geteuid?.() === 0 ? 'apply' : 'record';
	return {
		root,
		clock: new SystemClock({ keepsAlive: true }),
		random: new SystemRandom(),
		policy: { ownership, setId: 'keep' },
		sync: async () => {},
	};
}

/** Opens a store, which is closed after the test. Default: in a new folder. */
export async function openTestStore(
	t: TestContext,
	options: Partial<ImageStoreOptions> = {},
): Promise<ImageStore> {
	const store = await ImageStore.open({
		...storeOptions(options.root ?? join(testFolder(t), 'images')),
		...options,
	});
	t.after(() => store.close());
	return store;
}

/** What a pull of a built image hands to the store. `onOpen` is called for each layer that the store asks for. */
export function pulled(
	image: BuiltImage,
	name: string | undefined,
	onOpen: (digest: Digest) => unknown = () => {},
): ImageToAdd {
	const blob = (digest: Digest): Uint8Array => {
		const bytes = image.content.get(digest);
		if (!bytes) throw new Error(`no blob ${digest}`);
		return bytes;
	};
	return {
		name,
		manifest: image.manifest,
		documents: new Map([image.manifest.digest, image.id].map((digest) => [digest, blob(digest)])),
		access: { everyPod: true, secrets: [], serviceAccounts: [] },
		openLayer: async ({ digest }) => {
			await onOpen(digest);
			return piecesOf(blob(digest));
		},
	};
}

/** The bytes in two pieces. */
async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
	yield bytes.subarray(0, bytes.length >> 1);
	yield bytes.subarray(bytes.length >> 1);
}
