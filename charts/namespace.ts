import { Namespace } from 'cdk8s-plus-27';
import type { Construct } from 'constructs';
import { recommendedLabels } from './labels';
import type { Model } from './model';
import { restrictedNamespace } from './rolling-deployment';

/** The Namespace of one LoadBalancedApi, which refuses every pod that is not `restricted`. */
export class RestrictedNamespace extends Namespace {
  constructor(scope: Construct, id: string, model: Model) {
    super(scope, id, {
      metadata: {
        name: model.namespace,
        labels: { ...recommendedLabels(model.name, 'namespace'), ...restrictedNamespace },
      },
    });
  }
}
