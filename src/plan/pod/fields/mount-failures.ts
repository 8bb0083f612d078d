import type { RuntimeTraits } from '../../../api/contract/runtime-traits.ts';
import type { EventText } from '../../../api/core/event/event-text.ts';
import type { Pod, Volume } from '../../../api/core/pod/schema.ts';
import { mountedVolumesOf, volumeInputs } from '../inputs/needs.ts';
import { notFoundText } from '../inputs/values.ts';
import { mountFailure } from '../inputs/volume-set-up.ts';
import { findingsOf } from './field-rules.ts';

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
	return mountedVolumesOf(pod)
		.slice(0, MOST_EVENTS)
		.map((volume): EventText => {
			const hint = `spec.volumes[${pod.spec.volumes?.indexOf(volume)}]: ${because}: ${instead}`;
			const missing = missingObject(pod, volume);
			return mountFailure(volume.name, missing === undefined ? hint : `${missing}; ${hint}`);
		});
}

/** Upstream's message about the first object that the volume requires and that no kind provides yet, if any. */
function missingObject(pod: Pod, volume: Volume): string | undefined {
	const needs = volumeInputs(pod, volume).flatMap((need) =>
		(need.kind === 'configMap' || need.kind === 'secret') && !need.optional ? [need] : [],
	);
	const first = needs.find(({ kind }) => kind === 'configMap') ?? needs[0];
	return first && notFoundText(first.kind, first.name);
}
