import Mustache

/// The templates of the pages, and of the model card.
///
/// Every page is one file that asks for nothing: pictures and style are inside.
enum PageTemplates {
  /// The pages `run` and `comparison`; `head` and `chart` are parts of both.
  static func library() throws -> MustacheLibrary {
    var library = MustacheLibrary()
    for (name, text) in [("run", run), ("comparison", comparison), ("chart", chart), ("head", head), ("card", card)] {
      library.register(try MustacheTemplate(string: text), named: name)
    }
    return library
  }

  /// Markdown, whose texts are escaped before they come here.
  private static let card = """
    ---
    library_name: lockstep
    pipeline_tag: {{{task}}}
    {{#quotedLicense}}
    license: {{{quotedLicense}}}
    {{/quotedLicense}}
    tags:
    - lockstep
    model-index:
    - name: {{{quotedName}}}
      results:
      - task:
          type: {{{task}}}
        dataset:
          name: {{{quotedData}}}
          type: {{{quotedData}}}
        metrics:
    {{#figures}}
        - type: {{{type}}}
          name: {{{name}}}
          value: {{{value}}}
    {{/figures}}
    ---

    # {{{name}}}

    ## Model details

    - A network of {{{parameters}}} parameters for the task {{{objective}}}, trained by Lockstep {{{program}}} on {{{data}}}{{#date}}, finished
      on {{{date}}}{{/date}}.
    - Recipe: {{{epochs}}} {{{unit}}}s in batches of {{{batch}}}, {{{optimizer}}}, learning rate {{{rate}}}, seed {{{seed}}}.
    {{#federation}}
    - Federated: {{{federation}}}.
    {{/federation}}
    - SHA-256 of the weights: `{{{digest}}}`
    {{#command}}
    - Command: `{{{command}}}`
    {{/command}}
    - Licence: {{{license}}}
    - Contact: {{{contact}}}

    ## Intended use

    {{{use}}}

    Meant for whom: {{{users}}}

    Not meant for: {{{misuse}}}

    ## Factors

    {{#classes}}
    The figures are told for each class, because the mean over all hides those that are told badly.
    {{/classes}}
    {{#hasGroups}}
    They are told for groups of the test samples, too: {{{factors}}}.
    {{/hasGroups}}
    {{^hasGroups}}
    No other groups of the test samples were told apart.
    {{/hasGroups}}

    ## Metrics

    | figure | value |
    |---|---:|
    {{#figures}}
    | {{{name}}} | {{{value}}} |
    {{/figures}}

    {{#decision}}
    {{{decision}}}
    {{/decision}}

    ## Evaluation data

    The test part of {{{data}}}.{{#digests}} SHA-256: `{{{test}}}`{{/digests}}

    ## Training data

    The training part of {{{data}}}.{{#digests}} SHA-256: `{{{training}}}`{{/digests}}
    {{#preparation}}

    Preparation: {{{preparation}}}
    {{/preparation}}

    ## Quantitative analyses

    {{#classes}}
    On {{{samples}}} test samples; intervals hold with 95 % confidence, by a bootstrap over the samples: accuracy {{{accuracy}}}.

    | class | samples | precision | 95 % | recall | 95 % | F1 | 95 % |
    |---|---:|---:|---|---:|---|---:|---|
    {{#rows}}
    | {{{name}}} |{{#cells}} {{{.}}} |{{/cells}}
    {{/rows}}
    {{/classes}}
    {{^classes}}
    See the metrics above.
    {{/classes}}
    {{#groups}}

    ### Groups by {{{by}}}

    {{{meaning}}} On {{{samples}}} test samples; intervals by a bootstrap of {{{replicates}}} replicates.

    | group |{{#columns}} {{{.}}} |{{/columns}}
    |---|{{#columns}}---:|{{/columns}}
    {{#rows}}
    | {{{name}}} |{{#cells}} {{{.}}} |{{/cells}}
    {{/rows}}
    {{#hasFairness}}

    | between the groups | value | 95 % |
    |---|---:|---|
    {{#fairness}}
    | {{{name}}} |{{#cells}} {{{.}}} |{{/cells}}
    {{/fairness}}
    {{/hasFairness}}
    {{/groups}}

    ## Ethical considerations

    {{#privacy}}
    Training was differentially private (DP-SGD): ε {{{epsilon}}} at δ {{{delta}}} ({{{conversion}}}), with noise multiplier {{{noise}}} and
    sample rate {{{rate}}} over {{{steps}}} steps.{{#isRepeatable}} Noise and sampling follow from the seed above: the guarantee does not hold
    against those who know it.{{/isRepeatable}}
    {{/privacy}}
    {{^privacy}}
    Training was not private.
    {{/privacy}}

    Training took {{{time}}} on {{{ranks}}} of {{{processor}}}, {{{hours}}} core-hours.{{#energy}} The processors used {{{energy}}} J
    meanwhile.{{/energy}}

    ## Caveats and recommendations

    {{#limits}}
    - {{{.}}}
    {{/limits}}

    """

  private static let head = """
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="data:,">
    <title>{{title}}</title>
    <style>
    :root { --page: #fbfbfa; --card: #ffffff; --ink: #1c1e21; --soft: #5a616b; --line: #dcdfe3; --heat: 17, 94, 173;
      --s0: #115ead; --s1: #b3400f; --s2: #1d7a3f; --s3: #7b3fa0; --s4: #80670a; --s5: #a81e5b; --bad: #a11d1d; }
    @media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1d2026; --ink: #e9ebee; --soft: #a4acb8; --line: #363b44;
      --heat: 84, 160, 255; --s0: #6cb0ff; --s1: #ff9a62; --s2: #63cf8b; --s3: #cf9bf0; --s4: #dcc04d; --s5: #ff85b8; --bad: #ff8f8f; } }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
    main { max-width: 1160px; margin: 0 auto; padding: 24px 16px 48px; }
    h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 40px 0 12px; } h3 { font-size: 1rem; margin: 20px 0 8px; overflow-wrap: anywhere; }
    p { margin: 4px 0 12px; max-width: 75ch; }
    .soft, figcaption, .plot text, dt, summary { color: var(--soft); }
    .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(128px, 1fr)); gap: 12px; margin: 24px 0 0; }
    .tiles div, figure, pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
    .tiles div { padding: 10px 14px; }
    .tiles dt { font-size: .85rem; } .tiles dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
    .tiles .first dd { font-weight: 700; }
    .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 420px), 1fr)); gap: 16px; }
    figure { margin: 0; padding: 12px; min-width: 0; }
    figcaption { font-size: .9rem; }
    figure > figcaption:first-child { color: var(--ink); font-weight: 600; margin-bottom: 6px; }
    .plot { width: 100%; height: auto; display: block; }
    .plot text { font-size: 10px; fill: var(--soft); }
    .plot .grid { stroke: var(--line); } .plot .guide { stroke: var(--soft); stroke-dasharray: 4 3; }
    polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
    polyline.s0 { stroke: var(--s0); } polyline.s1 { stroke: var(--s1); stroke-dasharray: 6 3; } polyline.s2 { stroke: var(--s2); stroke-dasharray: 2 2; }
    polyline.s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; } polyline.s4 { stroke: var(--s4); } polyline.s5 { stroke: var(--s5); stroke-dasharray: 6 3; }
    rect.s0, circle.s0 { fill: var(--s0); } rect.s1, circle.s1 { fill: var(--s1); } rect.s2, circle.s2 { fill: var(--s2); }
    rect.s3, circle.s3 { fill: var(--s3); } circle.s4 { fill: var(--s4); } circle.s5 { fill: var(--s5); }
    .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; list-style: none; padding: 0; margin: 6px 0 0; font-size: .85rem; }
    .legend svg { width: 22px; height: 10px; vertical-align: middle; margin-right: 5px; }
    .wide { overflow-x: auto; }
    table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
    th, td { padding: 3px 9px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
    th { font-weight: 600; } th:first-child, table.facts td { text-align: left; } table.facts td, table.facts th { overflow-wrap: anywhere; white-space: normal; }
    table.facts { width: 100%; table-layout: fixed; } table.facts th { width: 34%; overflow-wrap: anywhere; }
    table.heat td { text-align: center; min-width: 2.6em; background: rgba(var(--heat), var(--part)); } table.heat td.own { outline: 1px solid var(--soft); }
    details { margin-top: 8px; font-size: .9rem; } summary { cursor: pointer; }
    .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 10px; }
    .pictures figure { padding: 8px; text-align: center; } .pictures img { width: 84px; height: 84px; }
    .pictures figcaption { font-size: .78rem; line-height: 1.35; }
    img { image-rendering: pixelated; max-width: 100%; }
    pre { padding: 12px; overflow-x: auto; font-size: .9rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    code { overflow-wrap: anywhere; }
    .differs td { font-weight: 600; }
    @media print { body { background: #fff; font-size: 11px; } figure, .tiles div, tr { break-inside: avoid; } h2 { break-after: avoid; }
      summary { display: none; } main { max-width: none; padding: 0; } }
    </style>
    """

  private static let chart = """
    <figure><figcaption>{{title}}</figcaption>{{{svg}}}
    {{#hasLegend}}<ul class="legend">{{#legend}}<li><svg viewBox="0 0 22 10" aria-hidden="true">{{{swatch}}}</svg>{{name}}</li>{{/legend}}</ul>{{/hasLegend}}
    <details><summary>The figures</summary><div class="wide" tabindex="0"><table><thead><tr>{{#columns}}<th scope="col">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>{{#rows}}<tr>{{#.}}<td>{{.}}</td>{{/.}}</tr>{{/rows}}</tbody></table></div></details></figure>

    """

  private static let run = """
    <!DOCTYPE html>
    <html lang="en"><head>{{> head}}</head>
    <body><main>
    <header><h1>{{title}}</h1><p class="soft">{{subtitle}}</p></header>
    <dl class="tiles">{{#tiles}}<div class="{{kind}}"><dt>{{name}}</dt><dd>{{value}}</dd></div>{{/tiles}}</dl>
    {{#hasCharts}}<section><h2>Training</h2><div class="charts">{{#charts}}{{> chart}}{{/charts}}</div></section>{{/hasCharts}}
    {{#hasTimes}}<section><h2>Where the time went</h2><p>{{timesText}}</p><div class="charts">{{#times}}{{> chart}}{{/times}}</div></section>{{/hasTimes}}
    {{#classes}}<section><h2>Classes</h2>
    <p>On {{samples}} test samples. Intervals hold with 95 % confidence, by a bootstrap over the samples: accuracy {{accuracy}}.</p>
    <div class="wide" tabindex="0"><table><thead><tr><th scope="col">class</th><th scope="col">samples</th><th scope="col">precision</th><th scope="col">95 %</th><th scope="col">recall</th><th scope="col">95 %</th><th scope="col">F1</th><th scope="col">95 %</th></tr></thead>
    <tbody>{{#rows}}<tr><th scope="row">{{name}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/rows}}</tbody></table></div>
    {{#matrix}}<h2>Confusion</h2><p>Rows are the samples' own classes, columns what they are taken for.</p>
    <div class="wide" tabindex="0"><table class="heat"><thead><tr><th scope="col">own \\ taken for</th>{{#names}}<th scope="col">{{.}}</th>{{/names}}</tr></thead>
    <tbody>{{#rows}}<tr><th scope="row">{{name}}</th>{{#cells}}<td{{#isOwn}} class="own"{{/isOwn}} style="--part:{{part}}">{{value}}</td>{{/cells}}</tr>{{/rows}}</tbody></table></div>{{/matrix}}
    </section>{{/classes}}
    {{#groups}}<section><h2>Groups by {{by}}</h2>
    <p>On {{samples}} test samples. {{meaning}} Intervals hold with 95 % confidence, by a bootstrap of {{replicates}} replicates.</p>
    <div class="wide" tabindex="0"><table><thead><tr><th scope="col">group</th>{{#columns}}<th scope="col">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>{{#rows}}<tr><th scope="row">{{name}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/rows}}</tbody></table></div>
    {{#hasFairness}}<div class="wide" tabindex="0"><table><thead><tr><th scope="col">between the groups</th><th scope="col">value</th><th scope="col">95 %</th></tr></thead>
    <tbody>{{#fairness}}<tr><th scope="row">{{name}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/fairness}}</tbody></table></div>{{/hasFairness}}
    {{#warnings}}<p class="soft">{{.}}</p>{{/warnings}}
    </section>{{/groups}}
    {{#reliability}}<section><h2>Calibration</h2><p>{{text}}</p><div class="charts">{{> chart}}</div></section>{{/reliability}}
    {{#hasMistakes}}<section><h2>The surest mistakes</h2><p>Test images that the network takes for another class with the highest probability.</p>
    <div class="pictures">{{#mistakes}}<figure><img src="{{source}}" alt="{{text}}"><figcaption>{{caption}}</figcaption></figure>{{/mistakes}}</div></section>{{/hasMistakes}}
    {{#filters}}<section><h2>The first layer</h2><figure><img src="{{source}}" alt="{{text}}"><figcaption>{{caption}}. Middle grey is a weight of 0.</figcaption></figure></section>{{/filters}}
    {{#drawn}}<section><h2>Drawn images</h2><figure><img src="{{source}}" alt="{{text}}"><figcaption>{{caption}}</figcaption></figure></section>{{/drawn}}
    {{#explanations}}<section><h2>Explanations</h2><p>{{text}}</p>
    {{#pictures}}<h3>{{name}}</h3><div class="pictures">{{#figures}}<figure><img src="{{source}}" alt="{{text}}"><figcaption>{{caption}}</figcaption></figure>{{/figures}}</div>{{/pictures}}</section>{{/explanations}}
    <section><h2>Recipe and machine</h2><table class="facts"><tbody>{{#facts}}<tr><th scope="row">{{name}}</th><td>{{value}}</td></tr>{{/facts}}</tbody></table></section>
    <section><h2>The same again</h2>{{#command}}<p>This command gives the same weights, to the bit, on any number of ranks:</p><pre><code>{{.}}</code></pre>{{/command}}
    {{#digest}}<p>Weights digest: <code>{{.}}</code></p>{{/digest}}{{^digest}}<p>The run is not finished.</p>{{/digest}}</section>
    <footer><p class="soft">Lockstep {{program}}</p></footer>
    </main></body></html>

    """

  private static let comparison = """
    <!DOCTYPE html>
    <html lang="en"><head>{{> head}}</head>
    <body><main>
    <header><h1>{{title}}</h1></header>
    <section><h2>Figures</h2><div class="wide" tabindex="0"><table><thead><tr><th scope="col">run</th>{{#columns}}<th scope="col">{{.}}</th>{{/columns}}</tr></thead>
    <tbody>{{#runs}}<tr><th scope="row">{{name}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/runs}}</tbody></table></div></section>
    {{#hasCharts}}<section><h2>Training</h2><div class="charts">{{#charts}}{{> chart}}{{/charts}}</div></section>{{/hasCharts}}
    <section><h2>Recipes</h2><p>Lines in bold differ.</p><div class="wide" tabindex="0"><table><thead><tr><th scope="col">setting</th>{{#names}}<th scope="col">{{.}}</th>{{/names}}</tr></thead>
    <tbody>{{#facts}}<tr{{#differs}} class="differs"{{/differs}}><th scope="row">{{name}}</th>{{#cells}}<td>{{.}}</td>{{/cells}}</tr>{{/facts}}</tbody></table></div></section>
    </main></body></html>

    """
}
