import { mapShared, type OptionalKey, withField, withoutField } from '../../schema/defaults.ts';
import type { Container, LifecycleHandler, PodSpec, Probe, Volume, VolumeProjection } from './schema.ts';

/**
 * The features of Pods that are off in Kubernetes 1.37, and the fields of each (upstream: `dropDisabledFields` in
 * pkg/api/pod/util.go, and pkg/features/kube_features.go).
 */

/** Reports the path of a field that is dropped, from the value that a {@link Drop} gets. */
type Note = (place: string) => void;

/** Returns the value without some fields, and reports each; returns the value itself if it has none of them. */
type Drop<T> = (value: T, note: Note) => T;

/** A feature that is off. */
export interface DisabledFeature {
	/** The reason for dropping its fields, as a clause. */
	readonly because: string;
	/** What the author of a Pod can do instead, in the imperative. */
	readonly instead: string;
	/** Drops the fields of the feature. */
	readonly drop: Drop<PodSpec>;
}

/** Applies `drop` to the value of the field `key`. */
function inField<T extends object, K extends keyof T & string>(
	key: K,
	drop: Drop<NonNullable<T[K]>>,
): Drop<T> {
	return (object, note) =>
		withField(object, key, (value) => drop(value, (place) => note(`${key}${separated(place)}`)));
}

/** Applies `drop` to every item of the list in the field `key`. */
function inItems<T>(drop: Drop<T>): Drop<readonly T[]> {
	return (items, note) => {
		let index = -1;
		return mapShared(items, (item) => {
			index++;
			return drop(item, (place) => note(`[${index}]${separated(place)}`));
		});
	};
}

function separated(place: string): string {
	return place === '' || place.startsWith('[') ? place : `.${place}`;
}

/** Applies one function after the other. */
function all<T>(...drops: readonly Drop<T>[]): Drop<T> {
	return (value, note) => drops.reduce((left, drop) => drop(left, note), value);
}

/** Drops the field `key`. */
function dropped<T extends object>(key: OptionalKey<T> & string): Drop<T> {
	return (object, note) => {
		const left = withoutField(object, key);
		if (left !== object) note(key);
		return left;
	};
}

/** Applies `drop` to all containers of a Pod, init containers first. */
function inContainers(drop: Drop<Container>): Drop<PodSpec> {
	return all(
		inField('initContainers', inItems(drop)),
		inField('containers', inItems(drop)),
		inField('ephemeralContainers', inItems(drop)),
	);
}

function inProbes(drop: Drop<Probe>): Drop<Container> {
	return all(inField('livenessProbe', drop), inField('readinessProbe', drop), inField('startupProbe', drop));
}

function inHooks(drop: Drop<LifecycleHandler>): Drop<Container> {
	return inField('lifecycle', all(inField('postStart', drop), inField('preStop', drop)));
}

/** A lifecycle that had only a stop signal is dropped as a whole, as if the client had not sent it. */
const dropStopSignal: Drop<Container> = (container, note) => {
	const left = inField<Container, 'lifecycle'>('lifecycle', dropped('stopSignal'))(container, note);
	const isEmpty = left !== container && Object.keys(left.lifecycle ?? {}).length === 0;
	return isEmpty ? withoutField(left, 'lifecycle') : left;
};

const dropFileUsers: Drop<Volume> = all<Volume>(
	inField('secret', all(dropped('defaultUser'), inField('items', inItems(dropped('user'))))),
	inField('configMap', all(dropped('defaultUser'), inField('items', inItems(dropped('user'))))),
	inField('downwardAPI', all(dropped('defaultUser'), inField('items', inItems(dropped('user'))))),
	inField('projected', all(dropped('defaultUser'), inField('sources', inItems(dropProjectedUsers)))),
);

function dropProjectedUsers(source: VolumeProjection, note: Note): VolumeProjection {
	return all<VolumeProjection>(
		inField('secret', inField('items', inItems(dropped('user')))),
		inField('configMap', inField('items', inItems(dropped('user')))),
		inField('downwardAPI', inField('items', inItems(dropped('user')))),
		inField('serviceAccountToken', dropped('user')),
		inField('clusterTrustBundle', dropped('user')),
		inField('podCertificate', dropped('user')),
	)(source, note);
}

/** The features, by upstream's names, in the order of the warnings about them. */
export const DISABLED_FEATURES = {
	ContainerStopSignals: {
		because: alpha('ContainerStopSignals'),
		instead: 'handle SIGTERM',
		drop: inContainers(dropStopSignal),
	},
	VolumeBindMountOptions: {
		because: alpha('VolumeBindMountOptions'),
		instead: 'remove the field',
		drop: inContainers(inField('volumeMounts', inItems(dropped('bindMountOptions')))),
	},
	H2CContainerProbe: {
		because: alpha('H2CContainerProbe'),
		instead: 'answer HTTP/1.1 too, or use grpc',
		drop: inContainers(
			all(
				inProbes(inField('httpGet', dropped('protocol'))),
				inHooks(inField('httpGet', dropped('protocol'))),
			),
		),
	},
	GRPCContainerProbeTLS: {
		because: alpha('GRPCContainerProbeTLS'),
		instead: 'answer health checks without TLS',
		drop: inContainers(inProbes(inField('grpc', dropped('mode')))),
	},
	EmptyDirVolumeMode: {
		because: alpha('EmptyDirVolumeMode'),
		instead: 'set the mode in an init container',
		drop: inField('volumes', inItems<Volume>(inField('emptyDir', dropped('mode')))),
	},
	AtomicWriteVolumeUserFields: {
		because: alpha('AtomicWriteVolumeUserFields'),
		instead: 'use fsGroup',
		drop: inField('volumes', inItems(dropFileUsers)),
	},
	EvictionRequestAPI: {
		because: alpha('EvictionRequestAPI'),
		instead: 'use a PodDisruptionBudget',
		drop: dropped('evictionResponders'),
	},
	GenericWorkload: {
		because: 'its feature, GenericWorkload, is off by default',
		instead: 'remove the field',
		drop: dropped('schedulingGroup'),
	},
} satisfies Readonly<Record<string, DisabledFeature>>;

function alpha(name: string): string {
	return `its feature, ${name}, is alpha and therefore off`;
}
