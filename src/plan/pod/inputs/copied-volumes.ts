import type { Container, Pod, Volume } from '../../../api/core/pod/schema.ts';
import { allContainersOf } from '../snapshot.ts';
import { envFilesOf } from './needs.ts';
import { isUpdatedLive } from './volume-set-up.ts';

/**
 * Whether the containers of a Pod can have copies of a volume in place of the volume: files from the API, which they only
 * read, and an emptyDir that is for one run of one container.
 */
export function canBeCopied(volume: Volume, pod: Pod): boolean {
	if (isUpdatedLive(volume)) return true;
	const { medium = '', sizeLimit } = volume.emptyDir ?? { medium: undefined, sizeLimit: '' };
	if (medium !== '' || sizeLimit !== undefined) return false;
	const containers = allContainersOf(pod.spec);
	const mounts = containers.flatMap((container) =>
		(container.volumeMounts ?? [])
			.filter(({ name }) => name === volume.name)
			.map((mount) => ({ container, isWhole: !mount.subPath && !mount.subPathExpr })),
	);
	// The node agent reads variables from the volume itself.
	const isRead = containers.some((each) =>
		envFilesOf(each).some(({ volumeName }) => volumeName === volume.name),
	);
	const [only] = mounts;
	if (!only || mounts.length > 1 || isRead) return false;
	return only.isWhole && runsOnce(only.container, pod);
}

/** Whether the container is never started again in the same Pod. */
function runsOnce({ restartPolicy, restartPolicyRules = [] }: Container, { spec }: Pod): boolean {
	return spec.restartPolicy === 'Never' && !restartPolicy && restartPolicyRules.length === 0;
}
