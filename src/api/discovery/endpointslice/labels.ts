/** The label of an EndpointSlice with the name of its controller: other controllers leave the slice alone. */
export const SLICE_MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by';

/** The controller of the slices of Services with a selector. */
export const ENDPOINT_SLICE_CONTROLLER = 'endpointslice-controller.k8s.io';

/** The controller of the slices of Services without a selector, whose endpoints users write as Endpoints. */
export const MIRRORING_CONTROLLER = 'endpointslicemirroring-controller.k8s.io';

/** The label of an EndpointSlice with the name of its Service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
