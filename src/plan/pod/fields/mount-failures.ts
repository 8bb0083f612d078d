import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { findingsOf } from './field-rules.ts';
import { mountedVolumes } from './pod-rules.ts';

/** Maximum number of Events, for Pods with hundreds of volumes. */
const MOST_EVENTS = 8;

/**
 * The Events about volumes that this runtime cannot mount, in upstream's form, one for each volume; empty if
 * all can be. Each message also names the field and what to do. A separate Event for that would be easy to
 * miss, because the waiting state of the container shows only the first message.
 */
export function mountFailures(pod: Pod, traits: RuntimeTraits): readonly EventText[] {
	const [finding] = pod.spec.volumes?.length ? findingsOf(pod, 'unmounted', traits) : [];
	if (!finding) return [];
	const { because, instead = '' } = finding.rule;
	return mountedVolumes(pod)
		.slice(0, MOST_EVENTS)
		.map(({ name, index }): EventText => {
			const volume = pod.spec.volumes?.[index];
			const missing = volume && missingObject(volume);
			const hint = `spec.volumes[${index}]: ${because}: ${instead}`;
			const why = missing === undefined ? hint : `${missing}; ${hint}`;
			const message = `MountVolume.SetUp failed for volume "${name}" : ${why}`;
			return { type: 'Warning', reason: 'FailedMount', message };
		});
}

/**
 * Upstream's message about the ConfigMap or Secret of the volume that does not exist; undefined if it needs
 * none.
 */
function missingObject({ configMap, secret, projected }: Volume): string | undefined {
	const sources = projected?.sources ?? [];
	const maps = [configMap, ...sources.map((source) => source.configMap)];
	const lost = maps.find((map) => map && !map.optional);
	if (lost) return `configmap "${lost.name ?? ''}" not found`;
	if (secret && !secret.optional) return `secret "${secret.secretName ?? ''}" not found`;
	const hidden = sources.map((source) => source.secret).find((each) => each && !each.optional);
	return hidden && `secret "${hidden.name ?? ''}" not found`;
}
