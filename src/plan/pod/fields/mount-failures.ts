import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import type { RuntimeTraits } from '../../../api/meta/runtime-traits.ts';
import type { EventText } from '../../event-text.ts';
import { findingsOf } from './field-rules.ts';
import { mountedVolumes } from './pod-rules.ts';

/** Of a Pod with hundreds of volumes the first ones say enough. */
const MOST_TOLD = 8;

/**
 * What keeps the Pod's volumes from being set up on this runtime, as Events of upstream's form, one a volume; empty
 * where nothing does. Each says which field is the cause and what to do: a second Event for that would be of the same
 * cause, and the state of the container shows the first message only.
 */
export function mountFailures(pod: Pod, traits: RuntimeTraits): readonly EventText[] {
	const [finding] = pod.spec.volumes?.length ? findingsOf(pod, 'unmounted', traits) : [];
	if (!finding) return [];
	const { because, instead = '' } = finding.rule;
	return mountedVolumes(pod)
		.slice(0, MOST_TOLD)
		.map(({ name, index }): EventText => {
			const volume = pod.spec.volumes?.[index];
			const missing = volume && missingObject(volume);
			const hint = `spec.volumes[${index}]: ${because}: ${instead}`;
			const why = missing === undefined ? hint : `${missing}; ${hint}`;
			const message = `MountVolume.SetUp failed for volume "${name}" : ${why}`;
			return { type: 'Warning', reason: 'FailedMount', message };
		});
}

/** The object that the volume is made from and that cannot exist, as upstream says it. */
function missingObject({ configMap, secret, projected }: Volume): string | undefined {
	const sources = projected?.sources ?? [];
	const maps = [configMap, ...sources.map((source) => source.configMap)];
	const lost = maps.find((map) => map && !map.optional);
	if (lost) return `configmap "${lost.name ?? ''}" not found`;
	if (secret && !secret.optional) return `secret "${secret.secretName ?? ''}" not found`;
	const hidden = sources.map((source) => source.secret).find((each) => each && !each.optional);
	return hidden && `secret "${hidden.name ?? ''}" not found`;
}
