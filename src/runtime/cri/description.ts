import { readFileSync } from 'node:fs';
import { attempt } from '../../base/attempt.ts';
import { type CriClient, isUnimplemented } from './client/cri-client.ts';
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

/** Docker's package of containerd is configured like that. */
const NO_CRI =
	'it does not serve the CRI (runtime.v1): is "cri" among the disabled_plugins of /etc/containerd/config.toml?';

/** Asks a runtime what it is. Rejects if it cannot run Pods. */
export async function describeRuntime(client: Pick<CriClient, 'call'>): Promise<CriDescription> {
	const { runtimeName, runtimeVersion } = await client.call(CRI.version, {}).catch((error: unknown) => {
		throw isUnimplemented(error) ? new Error(NO_CRI) : error;
	});
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
