import type { Volume, VolumeProjection } from '../../api/core/pod/schema.ts';
import { at } from './lines.ts';

/**
 * The lines of the volumes of a Pod, or, with an indent, of a Pod template. Upstream: describeVolumes, which
 * knows more volume types; those print as `<unknown>` here.
 */
export function volumeLines(volumes: readonly Volume[] = [], indent = ''): readonly string[] {
	if (volumes.length === 0) return [`${indent}Volumes:\t<none>`];
	return [
		`${indent}Volumes:`,
		...volumes.flatMap((volume) => [
			at(1, `${indent === '' ? '' : ' '}${volume.name}:`),
			...sourceLines(volume).map((line) => at(2, line)),
		]),
	];
}

/**
 * The lines of a volume's source, with the texts of upstream's print functions (printEmptyDirVolumeSource,
 * ...).
 */
function sourceLines(volume: Volume): readonly string[] {
	const { hostPath, emptyDir, secret, configMap, persistentVolumeClaim, projected, downwardAPI, nfs, image } =
		volume;
	if (hostPath)
		return [
			'Type:\tHostPath (bare host directory volume)',
			`Path:\t${hostPath.path}`,
			`HostPathType:\t${hostPath.type ?? '<none>'}`,
		];
	if (emptyDir)
		return [
			"Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)",
			`Medium:\t${emptyDir.medium ?? ''}`,
			`SizeLimit:\t${emptyDir.sizeLimit ?? '<unset>'}`,
		];
	if (secret)
		return [
			'Type:\tSecret (a volume populated by a Secret)',
			`SecretName:\t${secret.secretName ?? ''}`,
			`Optional:\t${secret.optional ?? false}`,
		];
	if (configMap)
		return [
			'Type:\tConfigMap (a volume populated by a ConfigMap)',
			`Name:\t${configMap.name ?? ''}`,
			`Optional:\t${configMap.optional ?? false}`,
		];
	if (persistentVolumeClaim)
		return [
			'Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
			`ClaimName:\t${persistentVolumeClaim.claimName}`,
			`ReadOnly:\t${persistentVolumeClaim.readOnly ?? false}`,
		];
	if (nfs)
		return [
			'Type:\tNFS (an NFS mount that lasts the lifetime of a pod)',
			`Server:\t${nfs.server}`,
			`Path:\t${nfs.path}`,
			`ReadOnly:\t${nfs.readOnly ?? false}`,
		];
	if (projected) return projectedLines(projected);
	if (image)
		return [
			'Type:\tImage (a container image or OCI artifact)',
			`Reference:\t${image.reference ?? ''}`,
			`PullPolicy:\t${image.pullPolicy ?? ''}`,
		];
	return downwardAPI ? downwardLines(downwardAPI) : ['<unknown>'];
}

function downwardLines({ items = [] }: NonNullable<Volume['downwardAPI']>): readonly string[] {
	return [
		'Type:\tDownwardAPI (a volume populated by information about the pod)',
		'Items:',
		...items.map(
			({ path, fieldRef, resourceFieldRef }) =>
				`  ${fieldRef?.fieldPath ?? resourceFieldRef?.resource ?? ''} -> ${path}`,
		),
	];
}

function projectedLines({ sources = [] }: NonNullable<Volume['projected']>): readonly string[] {
	return [
		'Type:\tProjected (a volume that contains injected data from multiple sources)',
		...sources.flatMap(projectionLines),
	];
}

/** The lines of one source of a projected volume; none for a source that upstream prints nothing about. */
function projectionLines({
	secret,
	downwardAPI,
	configMap,
	serviceAccountToken,
}: VolumeProjection): readonly string[] {
	if (secret) return [`SecretName:\t${secret.name ?? ''}`, `Optional:\t${secret.optional ?? false}`];
	if (downwardAPI) return ['DownwardAPI:\ttrue'];
	if (configMap)
		return [`ConfigMapName:\t${configMap.name ?? ''}`, `Optional:\t${configMap.optional ?? false}`];
	return serviceAccountToken
		? [`TokenExpirationSeconds:\t${serviceAccountToken.expirationSeconds ?? ''}`]
		: [];
}
