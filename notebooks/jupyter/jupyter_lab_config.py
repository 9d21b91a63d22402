"""JupyterLab for these notebooks: nothing is asked of the internet, nothing listens beyond this machine.

`make lab` does JUPYTER_CONFIG_PATH=notebooks/jupyter jupyter lab --notebook-dir=notebooks
"""

c = get_config()  # noqa: F821

c.ServerApp.ip = "127.0.0.1"
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
