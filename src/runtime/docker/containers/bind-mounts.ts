import type { ContainerConfig, Mount } from '../../../api/contract/container-config.ts';
import { ContainerStartError } from '../../contract.ts';
import { mountSource } from '../../engines/mount-source.ts';
import { compareVersions, type EngineVersion } from '../engine/engine-client.ts';

/** A mount as the engine's API takes it. */
export interface BindMount {
	readonly Type: 'bind';
	readonly Source: string;
	readonly Target: string;
	readonly ReadOnly: boolean;
	readonly BindOptions: Readonly<Record<string, string | boolean>>;
}

type MountConfig = Pick<ContainerConfig, 'mounts' | 'terminationMessagePath' | 'terminationMessageFile'>;

/** The version of Docker's API since which read-only mounts can be recursive. */
const RECURSIVE_API = '1.44';

/**
 * The mounts of a container. The file for the termination message comes last, since its path may be in a volume. Rejects
 * with ContainerStartError for a mount that cannot be made as specified.
 */
export async function bindMountsOf(
	config: MountConfig,
	engine: EngineVersion,
): Promise<readonly BindMount[]> {
	const { mounts, terminationMessagePath: target, terminationMessageFile: source } = config;
	const binds: BindMount[] = [];
	for (const mount of mounts) binds.push(await bindMountOf(mount, engine));
	if (!target || !source) return binds;
	const options = { Propagation: 'rprivate' };
	return [...binds, { Type: 'bind', Source: source, Target: target, ReadOnly: false, BindOptions: options }];
}

async function bindMountOf(mount: Mount, engine: EngineVersion): Promise<BindMount> {
	return {
		Type: 'bind',
		Source: await mountSource(mount),
		Target: mount.containerPath,
		ReadOnly: mount.readOnly,
		BindOptions: {
			// plan/pod/fields holds back a container that asks for propagation to the host.
			Propagation: mount.propagation === 'None' ? 'rprivate' : 'rslave',
			...recursionOf(mount, engine),
		},
	};
}

/** A read-only mount of Docker covers the mounts below it since API 1.44, unless told otherwise. */
function recursionOf(
	{ readOnly, recursiveReadOnly }: Mount,
	engine: EngineVersion,
): BindMount['BindOptions'] {
	if (!readOnly) return {};
	const isPossible = engine.name === 'docker' && compareVersions(engine.api, RECURSIVE_API) >= 0;
	if (isPossible && recursiveReadOnly === 'Enabled') return { ReadOnlyForceRecursive: true };
	if (isPossible && recursiveReadOnly === 'Disabled') return { ReadOnlyNonRecursive: true };
	if (recursiveReadOnly !== 'Enabled') return {};
	throw new ContainerStartError(
		'CreateContainerConfigError',
		`recursiveReadOnly: ${engine.name} ${engine.version} cannot make mounts below a read-only mount read-only`,
	);
}
