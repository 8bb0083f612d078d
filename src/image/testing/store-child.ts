import { ImageStore } from '../store/image-store.ts';
import type { StoreStep } from '../store/store-session.ts';
import { buildImage } from './image-builder.ts';
import { pulled, storeOptions } from './test-store.ts';

/**
 * A process that uses a store, and kills itself at a step: `node store-child.ts FOLDER KILL_AT`. It prints the names
 * of the steps.
 */

/** What the process does; the test checks for what remains of it. */
export const BEFORE = buildImage({ layers: [[{ path: 'base/' }, { path: 'base/a', content: 'a' }]] });

/** The image that is added, and shares a layer with {@link BEFORE}. */
export const ADDED = buildImage({
	layers: [
		[{ path: 'base/' }, { path: 'base/a', content: 'a' }],
		[{ path: 'base/.wh.a' }, { path: 'b', content: 'b' }],
	],
});

/** The steps of the process. */
export async function useStore(store: ImageStore, step: StoreStep = () => {}): Promise<void> {
	await store.add(pulled(ADDED, 'added:1', () => step('open a layer')));
	await store.tag(ADDED.id, 'added:2');
	await store.roots.createCopy({ containerId: 'c', owner: '/data', imageId: ADDED.id, setId: 'keep' });
	await store.remove([BEFORE.id]);
	await store.roots.remove('c');
	await store.untag('added:2');
}

if (import.meta.main) {
	const [, , root = '', killAt = '0'] = process.argv;
	let count = 0;
	const step = (name: string): void => {
		count += 1;
		process.stdout.write(`${name}\n`);
		if (count === Number(killAt)) process.kill(process.pid, 'SIGKILL');
	};
	const store = await ImageStore.open({ ...storeOptions(root), step, keepsBlobs: true });
	await useStore(store, step);
	await store.close();
}
