import { readFileSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import type { CriClient } from './client/cri-client.ts';
import { CRI } from './client/cri-methods.ts';
import type { CriAbilities } from './honoured.ts';

/** What a runtime says about itself. */
export interface CriDescription extends CriAbilities {
	/** Name and version, as the Node has them. */
	readonly version: string;
	/** Whether mounts below a read-only mount can be read-only too. */
	readonly hasRecursiveReadOnly: boolean;
}

const APP_ARMOR = '/sys/module/apparmor/parameters/enabled';

/** Asks a runtime what it is. Rejects if it cannot run Pods. */
export async function describeRuntime(client: CriClient): Promise<CriDescription> {
	const { runtimeName, runtimeVersion } = await client.call(CRI.version, {});
	const { status, handlers } = await client.call(CRI.status, {});
	const condition = (type: string): { status: boolean; message: string } | undefined =>
		status?.conditions.find((each) => each.type === type);
	const ready = condition('RuntimeReady');
	if (!ready?.status) throw new Error(`it is not ready: ${ready?.message || 'it does not say why'}`);
	return {
		version: `${runtimeName}://${runtimeVersion}`,
		hasPodNetwork: condition('NetworkReady')?.status ?? false,
		hasAppArmor: attempt(() => readFileSync(APP_ARMOR, 'latin1'))?.startsWith('Y') ?? false,
		// The default handler has no name.
		hasRecursiveReadOnly: handlers.some(
			({ name, features }) => name === '' && features?.recursiveReadOnlyMounts,
		),
	};
}
