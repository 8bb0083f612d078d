import type { TestContext } from 'node:test';
import { SystemClock } from '../../base/clock.ts';
import { SystemRandom } from '../../base/random.ts';
import { followTag } from '../registry-server/image-names.ts';
import { RegistryServer, type RegistryServerOptions } from '../registry-server/registry-server.ts';
import type { ImageStore } from '../store/image-store.ts';

/** stint's registry over a store, for tests. It is closed after the test, before the store. */
export async function openRegistry(
	t: TestContext,
	store: ImageStore,
	options: Partial<RegistryServerOptions> = {},
): Promise<RegistryServer> {
	const registry = await RegistryServer.listen(
		{
			store,
			clock: new SystemClock(),
			random: new SystemRandom(),
			onTag: (change) => followTag(store, change),
			onError: (error) => {
				throw error;
			},
			...options,
		},
		0,
	);
	t.after(() => registry.close());
	return registry;
}
