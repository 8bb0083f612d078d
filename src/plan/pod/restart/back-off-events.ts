import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Pod, PodStatus } from '../../../api/core/pod/schema.ts';
import { containerNamed, fieldPathOf, lastStatusOf, type StartBackoff, statusesIn } from '../snapshot.ts';

/**
 * What the kubelet reports while it waits before the next start of a container: the reason of a failed pull that has
 * been reported once (image_manager.go), and the `BackOff` events (`doBackOff` in kuberuntime_manager.go).
 */

/** An Event about one container. */
export interface ContainerEventText extends EventText {
	/** The container's path in the Pod, as Events have it. */
	readonly fieldPath: string;
}

/** The start of the message that {@link rephrased} makes. */
const PULL_BACK_OFF = /^Back-off pulling image "[^"]*"/;

/** The `BackOff` events for each container that by `status` starts to wait in CrashLoopBackOff or ImagePullBackOff. */
export function backOffEvents(pod: Pod, status: PodStatus): readonly ContainerEventText[] {
	const { name = '', namespace = '', uid = '' } = pod.metadata;
	return statusesIn(status).flatMap((after): readonly ContainerEventText[] => {
		const waiting = after.state?.waiting;
		const was = lastStatusOf(pod, after.name)?.state?.waiting;
		if (waiting?.reason === was?.reason && waiting?.message === was?.message) return [];
		const rest = { reason: 'BackOff', fieldPath: fieldPathOf(pod, after.name) };
		if (waiting?.reason === 'CrashLoopBackOff') {
			const message = `Back-off restarting failed container ${after.name} in pod ${name}_${namespace}(${uid})`;
			return [{ ...rest, type: 'Warning', message }];
		}
		if (waiting?.reason !== 'ImagePullBackOff') return [];
		// The image of a volume, or that of the container.
		const [message = `Back-off pulling image "${after.image}"`] =
			PULL_BACK_OFF.exec(waiting.message ?? '') ?? [];
		return [{ ...rest, type: 'Normal', message }];
	});
}

/**
 * Reason and message that replace those of a failed start once they have been reported: ErrImagePull becomes
 * ImagePullBackOff. Undefined if they stay. `container` is the name of the container.
 */
export function rephrased(
	pod: Pod,
	container: string,
	{ reason, message, image: ofVolume }: Pick<StartBackoff, 'reason' | 'message' | 'image'>,
): Pick<StartBackoff, 'reason' | 'message'> | undefined {
	if (reason !== 'ErrImagePull') return undefined;
	const image = ofVolume ?? containerNamed(pod, container)?.image ?? '';
	return {
		reason: 'ImagePullBackOff',
		message: `Back-off pulling image "${image}": ErrImagePull: ${message}`,
	};
}
