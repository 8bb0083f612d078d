import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import { bytesInBase64, textOfBase64 } from '../../base/base64.ts';
import { annotationLines, labelLines, sortedPairs } from './lines.ts';

/** The lines of a ConfigMap: values in full, but only the sizes of binary ones. */
export function configMapLines({ metadata, data, binaryData }: ConfigMap): readonly string[] {
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		...heading('Data'),
		...sortedPairs(data).flatMap(([key, value]) => [`${key}:`, '----', ...value.split('\n'), '']),
		...heading('BinaryData'),
		...sortedPairs(binaryData).map(([key, value]) => `${key}: ${bytesInBase64(value)} bytes`),
		'',
	];
}

/**
 * The lines of a Secret: only the sizes of values, except for the token of a ServiceAccount, which
 * `kubectl describe` prints too.
 */
export function secretLines({ metadata, type = '', data }: Secret): readonly string[] {
	return [
		`Name:\t${metadata.name}`,
		`Namespace:\t${metadata.namespace}`,
		...labelLines('Labels', metadata.labels),
		...annotationLines('Annotations', metadata.annotations),
		'',
		`Type:\t${type}`,
		...heading('Data'),
		...sortedPairs(data).map(([key, value]) => {
			const isToken = key === 'token' && type === 'kubernetes.io/service-account-token';
			return `${key}:\t${isToken ? textOfBase64(value) : `${bytesInBase64(value)} bytes`}`;
		}),
	];
}

function heading(title: string): readonly string[] {
	return ['', title, '===='];
}
