import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { mountFailure } from '../inputs/mount-events.ts';
import { mountedVolumesOf } from '../inputs/needs.ts';
import { unsupportedVolume } from '../inputs/volume-set-up.ts';
import { findingsOf } from './field-rules.ts';

/** Maximum number of Events, for Pods with hundreds of volumes. */
const MOST_EVENTS = 8;

/**
 * The Events about volumes that cannot be mounted, in upstream's form, one for each volume; empty if all can be: those of
 * types that stint does not support or, if the runtime mounts no volumes, all. Each message also names the field and what
 * to do. A separate Event for that would be easy to miss, because the waiting state of the container shows only the first
 * message.
 */
export function mountFailures(pod: Pod, traits: RuntimeTraits): readonly EventText[] {
	const { volumes = [] } = pod.spec;
	const [finding] = volumes.length > 0 ? findingsOf(pod, 'unmounted', traits) : [];
	if (!finding) return [];
	const { because, instead = '', byStint = false, concerns } = finding.rule;
	const reasonOf = (volume: Volume): string | undefined => {
		if (concerns) return concerns(volume, pod) ? because : undefined;
		return byStint ? unsupportedVolume(volume) : because;
	};
	return mountedVolumesOf(pod)
		.flatMap((volume) => {
			const reason = reasonOf(volume);
			if (reason === undefined) return [];
			return [mountFailure(volume.name, `spec.volumes[${volumes.indexOf(volume)}]: ${reason}: ${instead}`)];
		})
		.slice(0, MOST_EVENTS);
}
