import { DISABLED_FEATURES } from '../../../api/core/pod/disabled-features.ts';
import { disabledPlaces } from '../../../api/core/pod/disabled-fields.ts';
import type { FieldRule } from './field-rule.ts';

const CONTAINER = 'spec.containers[].';

/** The row for the fields of a feature that is off, in the field with this path. */
function dropped(name: keyof typeof DISABLED_FEATURES, field: string, only?: string): FieldRule {
	const feature = DISABLED_FEATURES[name];
	const { because, instead } = feature;
	const ofContainer = field.startsWith(CONTAINER);
	const prefix = field.replace(CONTAINER, 'containers[0].').replace(/^spec\./, '');
	return {
		field,
		effect: 'dropped',
		because,
		instead,
		byStint: true,
		...(only !== undefined && { only }),
		when: ({ pod, container }) => {
			const spec = ofContainer ? { containers: [container] } : pod.spec;
			return disabledPlaces(feature, spec).some((place) => place.startsWith(prefix));
		},
	};
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'];
const HANDLERS = [...PROBES, 'lifecycle.postStart', 'lifecycle.preStop'];

/**
 * The rows for fields that the API server drops, because upstream does: no stored Pod has them. They come first, so that
 * each names the one field that is dropped, whatever is true of the rest.
 */
export const DROPPED_RULES: readonly FieldRule[] = [
	dropped('ContainerStopSignals', `${CONTAINER}lifecycle.stopSignal`),
	dropped('VolumeBindMountOptions', `${CONTAINER}volumeMounts`, '`bindMountOptions`'),
	...HANDLERS.map((name) => dropped('H2CContainerProbe', `${CONTAINER}${name}`, '`httpGet.protocol`')),
	...PROBES.map((name) => dropped('GRPCContainerProbeTLS', `${CONTAINER}${name}`, '`grpc.mode`')),
	dropped('EmptyDirVolumeMode', 'spec.volumes', '`emptyDir.mode`'),
	dropped('AtomicWriteVolumeUserFields', 'spec.volumes', '`defaultUser` and `user` of files'),
	dropped('EvictionRequestAPI', 'spec.evictionResponders'),
	dropped('GenericWorkload', 'spec.schedulingGroup'),
];
