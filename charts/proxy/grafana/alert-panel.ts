import { type AlertModel, runbookOf } from '../alert-rules';
import type { PanelProps } from './grafana-json';

/** What the dashboard of a proxy goes by. */
export interface DashboardModel extends Omit<AlertModel, 'selector'> {
  readonly namespace: string;
  readonly title: string;
  /** In seconds: how often Prometheus asks, if it is known. */
  readonly interval: number | undefined;
}

/** A panel, and the alert that goes by what it shows. */
export interface AlertPanel extends Omit<PanelProps, 'link'> {
  readonly alert?: string;
}

type AlertPanelProps = Omit<AlertPanel, 'type' | 'width'> & Partial<Pick<AlertPanel, 'width'>>;

/** One number of now; six fit beside one another. */
export function figure(panel: AlertPanelProps): AlertPanel {
  return { type: 'stat', width: 4, ...panel };
}

/** Lines over time; two fit beside one another. */
export function lines(panel: AlertPanelProps): AlertPanel {
  return { type: 'timeseries', width: 12, ...panel };
}

/** With a link to what to do when its alert calls; where there is no address for it, the description says where it stands. */
export function withRunbook(model: DashboardModel, { alert, ...panel }: AlertPanel): PanelProps {
  if (alert === undefined) return panel;
  const place = runbookOf(model, alert);
  return model.runbooks === undefined
    ? { ...panel, description: `${panel.description} What to do: ${place} of fairlead.` }
    : { ...panel, link: { title: `What to do: ${alert}`, url: place } };
}
